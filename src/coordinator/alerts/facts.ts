import type { Millis } from "../../base/clock.ts";
import type { Facts, OpenCircuit } from "../../alerts/conditions.ts";
import { liveCells } from "../../cells/topology.ts";
import type { Peer } from "../../peers/peer.ts";
import type { AlertSubject } from "../../protocol/alert-types.ts";
import type { PeerId } from "../../protocol/ids.ts";
import type { Registry } from "../../registry/registry.ts";
import { WHOLE_PEER } from "../../registry/resting-circuits.ts";
import { waitsFrom } from "../../tasks/queue-position.ts";
import { cellFacts } from "../cells/watch-cells.ts";
import type { DueScope } from "../kernel/job.ts";

/** Lost peers that are looked at: those that have been lost for longest. */
const LOST_MAX = 10_000;
/** What a handshake and the jitter of a reconnect add to the time over which peers spread their reconnects. */
const RETURN_FACTOR = 1.25;

/** What alerts are about, as it is now. */
export function factsOf({ registry, config, now }: DueScope): Facts {
  const { peers, tasks } = registry;
  const oldest = new Map<string, Millis>();
  let [waiting, nextWaiting] = [0, Infinity];
  for (const task of tasks.waiting.all()) {
    if (task.notBefore > now) {
      nextWaiting = Math.min(nextWaiting, task.notBefore);
      continue;
    }
    waiting++;
    // A retry waits from the end of its pause on.
    const from = Math.max(waitsFrom(task), task.notBefore);
    if (from < (oldest.get(task.kind) ?? Infinity)) oldest.set(task.kind, from);
  }
  return {
    lost: peers.lost(LOST_MAX),
    connected: () => peers.connectedListed(),
    returnsWithin: RETURN_FACTOR * config.reconnectSpread,
    openCircuits: openCircuits(registry),
    storage: { used: registry.size(), limit: config.storage.limit },
    oldest,
    nextWaiting: nextWaiting === Infinity ? null : nextWaiting,
    waiting,
    cells: cellFacts(registry),
  };
}

function openCircuits(registry: Registry): readonly OpenCircuit[] {
  const found: OpenCircuit[] = [];
  for (const { peerId, kind, openedAt } of registry.circuits.resting.all()) {
    const peer = registry.peers.get(peerId);
    // One that left in good order has no tasks, and nobody can tell whether it would still fail.
    if (peer === null || hasLeft(peer) || !isWatched(registry, peerId)) continue;
    found.push({
      peer: peerId,
      name: peer.name,
      kind: kind === WHOLE_PEER ? null : kind,
      openedAt,
    });
  }
  return found;
}

const hasLeft = ({ state, lostAt }: Peer): boolean => state === "stale" && lostAt === null;

/** Whether what an alert is about is still watched: a peer, or a cell that was not removed. */
export const isAboutWatched = (registry: Registry, { peer, cell }: AlertSubject): boolean =>
  (peer === null || isWatched(registry, peer)) &&
  (cell === null || liveCells(registry.cells.topology).includes(cell));

/**
 * Whether there are alerts about a peer: it is listed, because in an open mesh strangers come and go, and the operator has not taken it
 * out of service.
 */
function isWatched({ peers, allowlist }: Registry, peerId: PeerId): boolean {
  const peer = peers.get(peerId);
  if (peer === null || peer.state === "revoked" || peer.scheduling.operator !== "open")
    return false;
  return allowlist.lists(peerId);
}
