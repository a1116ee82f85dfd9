import type { Millis } from "../base/clock.ts";
import type { Scheduling } from "../protocol/http.ts";

/** Whether a peer gets new tasks: what the operator has set, and whether the peer itself is leaving. */
export interface PeerScheduling {
  /** What the operator has set. It stays until the operator changes it, across reconnects. */
  readonly operator: Scheduling;
  /** When the operator's drain ends at the latest; null when none is under way. */
  readonly drainUntil: Millis | null;
  /** Whether the peer has said that it drains itself. This ends with its session. */
  readonly leaving: boolean;
}

/** The peer gets tasks. */
export const OPEN: PeerScheduling = { operator: "open", drainUntil: null, leaving: false };

/** The operator's cordon. It leaves a peer's own drain alone, and ends a drain of the operator's without a goodbye. */
export const cordoned = ({ leaving }: PeerScheduling): PeerScheduling => ({
  operator: "cordoned",
  drainUntil: null,
  leaving,
});

export const uncordoned = ({ leaving }: PeerScheduling): PeerScheduling => ({ ...OPEN, leaving });

/** The operator's drain of a connected peer, until it has finished its tasks, at the latest until this time. */
export const draining = ({ leaving }: PeerScheduling, drainUntil: Millis): PeerScheduling => ({
  operator: "draining",
  drainUntil,
  leaving,
});

/** Whether the peer may get new tasks. */
export const takesTasks = ({ operator, leaving }: PeerScheduling): boolean =>
  operator === "open" && !leaving;

/** What is shown of a peer, and who has set it. */
export function shownScheduling({ operator, leaving }: PeerScheduling): {
  readonly scheduling: Scheduling;
  readonly scheduled_by: "operator" | "peer" | null;
} {
  if (operator !== "open") return { scheduling: operator, scheduled_by: "operator" };
  return leaving
    ? { scheduling: "draining", scheduled_by: "peer" }
    : { scheduling: "open", scheduled_by: null };
}

/**
 * The scheduling once the peer's session has ended. The operator's drain is over when the peer said goodbye: what remains
 * is the cordon. After a connection that was lost the drain goes on in the next session.
 */
export function afterSession(scheduling: PeerScheduling, isReturning: boolean): PeerScheduling {
  const left = { ...scheduling, leaving: false };
  return left.operator === "draining" && !isReturning ? cordoned(left) : left;
}
