/** A process that runs several peers of the SDK; its parent gives it a plan over IPC. It ends when its parent ends. */
import { setTimeout as sleep } from "node:timers/promises";
import { connectPeer, type Handler } from "../../src/client/index.ts";
import { quickRandom } from "../random.ts";
import { KIND, type PeersPlan, type PeersReport, type Work } from "./peers-process.ts";

const send = (report: PeersReport): void => void process.send?.(report);

process.once("message", ({ url, meshKey, names, slots, serviceMs, seed }: PeersPlan) => {
  const random = quickRandom(seed);
  const work: Handler = async (payload, { signal }) => {
    send({ type: "began", work: payload as Work, at: Date.now() });
    await sleep(serviceMs * (0.5 + random()), undefined, { signal });
    return null;
  };
  const peers = names.map((name) =>
    connectPeer({ url, meshKey, name, slots, handlers: { [KIND]: work } }),
  );
  void Promise.all(peers.map(({ ready }) => ready)).then(() => send({ type: "ready" }));
});
process.on("disconnect", () => process.exit(0));
