/** A process that runs peers of the SDK. Its parent controls it over IPC; it ends when its parent ends. */
import { setTimeout as sleep } from "node:timers/promises";
import { connectPeer, type Handler, type Peer } from "../../src/client/index.ts";
import type { HostReport, ConnectionEvent, HostMessage } from "./host-messages.ts";

/** Takes as long as the payload says, and returns twice the number in it. */
const work: Handler = async (payload, { signal }) => {
  const { ms, n } = payload as { ms: number; n: number };
  await sleep(ms, undefined, { signal });
  return 2 * n;
};

const peers: { readonly peer: Peer; epoch: number }[] = [];
let events: ConnectionEvent[] = [];
const record = (type: ConnectionEvent["type"]) => events.push({ type, at: Date.now() });

async function join({
  url,
  meshKey,
  privateKeys,
  slots,
  paceMs,
}: Extract<HostMessage, { type: "join" }>) {
  for (const privateKey of privateKeys) {
    const hosted = {
      epoch: 0,
      peer: connectPeer({
        url,
        meshKey,
        privateKey,
        slots,
        handlers: { work },
        onEvent: (event) => {
          if (event.type === "connecting") record("connecting");
          if (event.type !== "ready") return;
          record("ready");
          hosted.epoch = event.epoch;
        },
      }),
    };
    peers.push(hosted);
    await sleep(paceMs);
  }
}

function report(number: number): HostReport {
  const reported = events;
  events = [];
  return {
    type: "report",
    number,
    peers: peers.map(({ peer: { id, state }, epoch }) => ({ id, state, epoch })),
    events: reported,
  };
}

process.on("message", (message: HostMessage) => {
  if (message.type === "join") void join(message);
  else process.send?.(report(message.number));
});
process.on("disconnect", () => process.exit(0));
