import { err, ok, type Result } from "../../base/result.ts";
import { formerHomesOf, liveCells } from "../../cells/topology.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { PeerId } from "../../protocol/ids.ts";
import type { Registry } from "../../registry/registry.ts";
import type { CellCalls } from "./cell-calls.ts";

/** Peers that are remembered as fetched: so many that the number does not matter, and few enough for memory. */
const SETTLED_MAX = 50_000;

/** The peers that this cell has fetched from their former homes, or that have none there. Lost with memory, which only costs questions. */
class SettledPeers {
  #version = 0;
  readonly #ids = new Set<PeerId>();

  has(version: number, id: PeerId): boolean {
    return version === this.#version && this.#ids.has(id);
  }

  add(version: number, id: PeerId): void {
    if (version !== this.#version || this.#ids.size >= SETTLED_MAX) this.#ids.clear();
    this.#version = version;
    this.#ids.add(id);
  }
}

const SETTLED = new WeakMap<Registry, SettledPeers>();
function settledOf(registry: Registry): SettledPeers {
  const known = SETTLED.get(registry);
  if (known !== undefined) return known;
  const settled = new SettledPeers();
  SETTLED.set(registry, settled);
  return settled;
}

/** The cells that may have something about a peer whose home this cell is: the newest former home first. */
export function cellsToAsk({ registry, now }: CellCalls, peerId: PeerId): readonly number[] {
  const { own, topology } = registry.cells;
  const departed = registry.peerMoves.departed(peerId);
  if (departed === null && settledOf(registry).has(topology.version, peerId)) return [];
  const live = liveCells(topology);
  // A placement stays in force while this cell has not fetched all that is its own: the mesh may have been off for long.
  const pulls = registry.peerMoves.pulls();
  const isFetching = pulls.some(({ version, isDone }) => version === topology.version && !isDone);
  const former = formerHomesOf(topology, peerId, isFetching ? 0 : now()).filter((cell) => {
    const pull = registry.peerMoves.pull(cell);
    return pull === null || !pull.isDone || pull.version !== topology.version;
  });
  const left = departed === null ? [] : [departed.cell];
  const all = [...left, ...registry.peerMoves.sourcesOf(peerId, now()), ...former];
  return [...new Set(all)].filter((cell) => cell !== own && live.includes(cell));
}

/**
 * Fetches what former homes have about a peer (CE101). Answers the cell where the peer has to be handled until it holds no task there;
 * null if it is handled here. An error if a former home does not answer: what it has is not known.
 */
export async function settlePeer(
  calls: CellCalls,
  peerId: PeerId,
): Promise<Result<number | null, Unsettled>> {
  const { registry, self } = calls;
  const { topology, own } = registry.cells;
  const cells: number[] = [];
  const arrived: string[] = [...registry.peerMoves.arrivalsOf(peerId)];
  const left = [...cellsToAsk(calls, peerId)];
  for (let cell = left.shift(); cell !== undefined; cell = left.shift()) {
    const asked = { cells: [own, ...cells], arrived };
    const input = { topology, to: own, peers: [peerId], asked };
    const given = await calls.ask(cell, self, "hand_over", input);
    if (!given.ok) return err({ cell, error: given.error });
    const { peers, busy, elsewhere } = given.value;
    const [third] = elsewhere;
    if (third !== undefined) {
      if (cells.includes(cell)) return err({ cell, error: UNDER_WAY });
      // Only the third cell can say whether the peer has arrived there. This one is asked again afterwards.
      if (!cells.includes(third.cell) && !left.includes(third.cell)) left.unshift(third.cell);
      left.push(cell);
    }
    if (peers.length > 0) {
      const taken = await calls.runHere("mesh", "import_peers", { from: cell, peers });
      if (!taken.ok) return err({ cell, error: taken.error });
    }
    if (busy.length > 0) return ok(cell);
    cells.push(cell);
    arrived.push(...given.value.arrived, ...peers.map(({ token }) => token));
  }
  const taken = await takeBack(calls, peerId, arrived);
  if (!taken.ok) return err({ cell: own, error: taken.error });
  if (registry.cells.topology === topology) settledOf(registry).add(topology.version, peerId);
  return ok(null);
}

/** A peer has left this cell, which is its home again, and has arrived nowhere. */
async function takeBack(
  { registry, runHere }: CellCalls,
  peerId: PeerId,
  arrived: readonly string[],
): Promise<Result<unknown, MusterError>> {
  const departed = registry.peerMoves.departed(peerId);
  if (departed === null || arrived.includes(departed.token)) return ok(null);
  const peers = [{ ...departed, ends: [] }];
  return runHere("mesh", "import_peers", { from: registry.cells.own, peers });
}

/** Whether a command about a peer has to wait for an answer of another cell, or for rows that are set aside here. */
export const isSettled = (calls: CellCalls, peerId: PeerId): boolean =>
  calls.registry.peerMoves.departed(peerId) === null && cellsToAsk(calls, peerId).length === 0;

/** A former home that has not handed a peer over, and why. */
export interface Unsettled {
  readonly cell: number;
  readonly error: MusterError;
}

const UNDER_WAY: MusterError = {
  code: "unavailable",
  detail: "the peer is on its way to another cell of the mesh; try again",
  retryAfter: 1,
};
