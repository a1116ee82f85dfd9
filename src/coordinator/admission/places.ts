import { err, ok, type Result } from "../../base/result.ts";
import { isConnected } from "../../peers/lifecycle.ts";
import type { Peer } from "../../peers/peer.ts";
import type { SessionFault } from "../../protocol/errors.ts";
import type { Context } from "../kernel/context.ts";
import { applyPeerEvent } from "../peers/lifecycle.ts";
import { endSession } from "../peers/scored-peers.ts";

/** Retry hint of a full mesh, in seconds. */
const FULL_RETRY = 60;
/** The share of the places that is reserved for listed keys, as far as there are so many entries. */
const RESERVED_SHARE = 1 / 4;
const DISPLACED = "this mesh is full, and a listed peer needs the place";

/**
 * Finds a place for a peer that is admitted (RL3, RL21). The answer is the stranger that has to leave for it, or null. A peer that is
 * already connected takes its own place. Strangers can't take the places that are reserved for listed keys; a listed key that finds
 * no place free displaces the least valuable stranger that holds no task, and within the reserve also one that holds some.
 */
export function placeFor(
  { registry, config: { peersMax } }: Context,
  known: Peer | null,
  isListed: boolean,
): Result<Peer | null, SessionFault> {
  if (known !== null && isConnected(known.state)) return ok(null);
  const connected = registry.roster.size;
  const reservable = Math.ceil(peersMax * RESERVED_SHARE);
  if (connected < (isListed ? peersMax : peersMax - reservable)) return ok(null);
  // A full mesh refuses strangers most often: it does not count them for it.
  if (!isListed && connected >= peersMax) return FULL;
  const reserve = Math.min(reservable, registry.allowlist.count());
  const strangers = connected - registry.peers.connectedListed();
  if (!isListed) return strangers < peersMax - reserve ? ok(null) : FULL;
  const mayHold = connected - strangers < reserve;
  const displaced = registry.peers.leastValuableStranger(mayHold);
  return displaced === null ? FULL : ok(displaced);
}

/** Says no number: a full mesh would tell a stranger how many peers it has. */
const FULL = err({
  code: "mesh_full",
  detail: `no place is free for this peer; retry in ${FULL_RETRY} s`,
  retryAfter: FULL_RETRY,
} as const);

/** Ends the session of a stranger whose place a listed peer takes. */
export function displace(context: Context, stranger: Peer): void {
  endSession(context, stranger, { code: "mesh_full", detail: DISPLACED, retryAfter: FULL_RETRY });
  applyPeerEvent(context, stranger, "gone", { reason: DISPLACED, displaced: true });
}
