/** A process that hosts peers of the SDK, for whoever started it: told what to do by IPC, and gone when that one is. */
import { setTimeout as sleep } from "node:timers/promises";
import { connectPeer, type Handler, type Peer } from "../../src/client/index.ts";
import type { HostReport, Moment, ToHost } from "./host-messages.ts";

/** Works for as long as its payload says, and answers with twice its number. */
const work: Handler = async (payload, { signal }) => {
  const { ms, n } = payload as { ms: number; n: number };
  await sleep(ms, undefined, { signal });
  return 2 * n;
};

const peers: { readonly peer: Peer; epoch: number }[] = [];
let moments: Moment[] = [];
const note = (what: Moment["what"]) => moments.push({ what, at: Date.now() });

async function join({
  url,
  meshKey,
  privateKeys,
  slots,
  paceMs,
}: Extract<ToHost, { type: "join" }>) {
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
          if (event.type === "connecting") note("connecting");
          if (event.type !== "ready") return;
          note("ready");
          hosted.epoch = event.epoch;
        },
      }),
    };
    peers.push(hosted);
    await sleep(paceMs);
  }
}

function report(number: number): HostReport {
  const told = moments;
  moments = [];
  return {
    type: "report",
    number,
    peers: peers.map(({ peer: { id, state }, epoch }) => ({ id, state, epoch })),
    moments: told,
  };
}

process.on("message", (message: ToHost) => {
  if (message.type === "join") void join(message);
  else process.send?.(report(message.number));
});
process.on("disconnect", () => process.exit(0));
