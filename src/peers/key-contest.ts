import { MINUTE, SECOND, type Millis } from "../base/clock.ts";
import type { SessionFault } from "../protocol/errors.ts";
import type { Protocol } from "../protocol/http.ts";
import { isConnected } from "./lifecycle.ts";
import type { Peer } from "./peer.ts";

/** The shortest and the longest time after which a process is told to try again whose key another process uses. */
const RETRY_MIN: Millis = 5 * SECOND;
const RETRY_MAX: Millis = 5 * MINUTE;

/** A process that asks for a session, as far as it matters whether another process has one with the same key. */
export interface Newcomer {
  readonly protocol: Protocol;
  /** Whether the session's object has found that the older session does not answer a ping. */
  readonly olderSilent?: boolean | undefined;
}

/**
 * Whether two processes use one key: a session that has itself taken the peer over from a connected session is to be taken
 * over again. One takeover is usual (a connection that broke without a trace), a second one while the first session
 * answers is not. A go-p2p node does that by itself: when the mesh closes its older connection, it forgets the newer one, which stays
 * open and answers, and dials again: also while it is suspect because it has flapped, or each dial would be the next flap.
 * (A peer of the SDK over go-p2p does not.)
 */
const isContested = (known: Peer, newcomer: Newcomer): boolean =>
  known.tookOver &&
  known.protocol === newcomer.protocol &&
  (known.protocol === "muster/2"
    ? known.state === "active"
    : isConnected(known.state) && !known.speaksMuster);

/** The fault by which a newcomer is refused while the older session answers; null when it may take over. */
export function keyInUseFault(
  known: Peer | null,
  newcomer: Newcomer,
  /** How long the older session has lasted. */
  age: Millis,
): SessionFault | null {
  if (known === null || newcomer.olderSilent === true || !isContested(known, newcomer)) return null;
  // Each try comes after about as long again as the session has lasted: the pauses double.
  const retryAfter = Math.ceil(Math.min(Math.max(age, RETRY_MIN), RETRY_MAX) / SECOND);
  return {
    code: "key_in_use",
    detail: "another process uses this key, and its session answers; use one key per process",
    retryAfter,
  };
}

/** Whether the session that now begins has taken the peer over. A silent session was not another process's. */
export const tookOver = (known: Peer | null, { olderSilent }: Newcomer): boolean =>
  known !== null && isConnected(known.state) && (olderSilent !== true || known.tookOver);
