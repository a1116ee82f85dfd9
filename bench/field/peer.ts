/** A process that runs one peer of the SDK; its parent gives it a plan over IPC. It ends when its parent ends. */
import { setTimeout as sleep } from "node:timers/promises";
import { connectPeer, type Handler } from "../../src/client/index.ts";
import { KIND, type PeerPlan, type PeerReport } from "./peer-process.ts";

let runs = 0;

const handlerOf =
  ({ serviceMs, fails }: PeerPlan): Handler =>
  async (_payload, { signal }) => {
    runs++;
    if (fails) throw new Error("this peer is broken");
    await sleep(serviceMs, undefined, { signal });
    return null;
  };

const send = (report: PeerReport): void => void process.send?.(report);

process.once("message", (plan: PeerPlan) => {
  const { url, meshKey, name } = plan;
  const peer = connectPeer({ url, meshKey, name, handlers: { [KIND]: handlerOf(plan) } });
  void peer.ready.then(() => send({ type: "ready", peerId: peer.id }));
  process.on("message", () => send({ type: "runs", runs }));
});
process.on("disconnect", () => process.exit(0));
