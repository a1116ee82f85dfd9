import { homeOf, type Topology } from "../../cells/topology.ts";
import type { CellCalls } from "./cell-calls.ts";
import { settlePeer } from "./settle-peer.ts";

/** Fetches a page of the peers of another cell that belong here. */
export async function pullPage(calls: CellCalls, cell: number): Promise<void> {
  const { registry, self } = calls;
  const { topology, own } = registry.cells;
  const pull = registry.peerMoves.pull(cell);
  if (pull === null || pull.version !== topology.version || pull.isDone) return;
  if (cell === own) return takeBackAll(calls, topology);
  const input = { topology, to: own, peers: null, after: pull.after };
  const given = await calls.ask(cell, self, "hand_over", input);
  if (!given.ok) throw new Error(given.error.detail);
  const { peers, busy, elsewhere, next } = given.value;
  // What is on its way to a third cell can only be had by asking that one first.
  for (const { peerId } of elsewhere) await settlePeer(calls, peerId);
  const page = { version: topology.version, next, left: busy.length + elsewhere.length };
  const taken = await calls.runHere("mesh", "import_peers", { from: cell, peers, page });
  if (!taken.ok) throw new Error(taken.error.detail);
}

/** Takes back the peers that have left this cell, belong here again, and have arrived nowhere. */
async function takeBackAll(calls: CellCalls, topology: Topology): Promise<void> {
  const { registry, runHere } = calls;
  const { own } = registry.cells;
  let after: string | null = null;
  let left = 0;
  for (let ids = departedIds(calls, after); ids.length > 0; ids = departedIds(calls, after)) {
    for (const peerId of ids) {
      after = peerId;
      if (homeOf(topology, peerId) !== own) continue;
      await settlePeer(calls, peerId);
      if (registry.peerMoves.departed(peerId) !== null) left++;
    }
  }
  const page = { version: topology.version, next: null, left };
  await runHere("mesh", "import_peers", { from: own, peers: [], page });
}

const departedIds = ({ registry }: CellCalls, after: string | null): readonly string[] =>
  registry.peerMoves.departedAfter(after, PAGE).map(({ peerId }) => peerId);

const PAGE = 200;
