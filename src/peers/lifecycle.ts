import type { Millis } from "../base/clock.ts";
import type { PeerState } from "../protocol/http.ts";
import { afterFlap, suppressionTime, penaltyAt, type Flaps } from "./damping.ts";

/** A peer's state, and since when. */
export interface Lifecycle {
  readonly state: PeerState;
  /** When it entered this state. */
  readonly since: Millis;
  readonly flaps: Flaps;
}

/**
 * The events that can change a peer's state: it proved its key (`flapped`: again, soon after a session that ended soon), answered, missed an answer, its session ended, the
 * operator revoked or readmitted it, it was disconnected for the retention time.
 */
export const PEER_EVENTS = [
  "proved",
  "flapped",
  "answered",
  "missed_answer",
  "gone",
  "revoked",
  "readmitted",
  "retention_over",
] as const;
export type PeerEvent = (typeof PEER_EVENTS)[number];

/** What a change of state requires. The coordinator performs it in the same transaction. */
type LifecycleEffect =
  /** Seal its record and publish a pointer to it. */
  | "publish"
  /** Withdraw the pointer. */
  | "withdraw"
  /** Release every task that the peer holds. */
  | "release_leases"
  /** Some peer can take more than before: assign queued tasks. */
  | "offer_work"
  /** Remove the record, and leave a tombstone. */
  | "remove_record";

export interface LifecycleTransition {
  readonly lifecycle: Lifecycle;
  readonly effects: readonly LifecycleEffect[];
}

const DISCONNECT_EFFECTS: readonly LifecycleEffect[] = ["release_leases", "withdraw", "offer_work"];

/**
 * The lifecycle of a peer (SPEC LV5): the state after an event, and the effects of the change. A revoked peer stays
 * revoked whatever its sockets still do, until the operator readmits it. A flapping peer stays suspect for a while
 * although it answers (LV9).
 */
export function transition(life: Lifecycle, event: PeerEvent, now: Millis): LifecycleTransition {
  const { state, since, flaps } = life;
  const stay: LifecycleTransition = { lifecycle: life, effects: [] };
  const become = (
    next: PeerState,
    ...effects: readonly LifecycleEffect[]
  ): LifecycleTransition => ({
    lifecycle: { ...life, state: next, since: now },
    effects,
  });
  if (event === "revoked")
    return state === "revoked" ? stay : become("revoked", ...DISCONNECT_EFFECTS);
  if (state === "revoked") return event === "readmitted" ? become("stale") : stay;
  switch (event) {
    case "proved":
      return become("active", "publish", "offer_work");
    case "flapped": {
      const counted = afterFlap(flaps, now);
      if (suppressionTime(counted.penalty) === 0) {
        const { lifecycle, effects } = become("active", "publish", "offer_work");
        return { lifecycle: { ...lifecycle, flaps: counted }, effects };
      }
      return { lifecycle: { state: "suspect", since: now, flaps: counted }, effects: [] };
    }
    case "answered": {
      const held = now - since < suppressionTime(penaltyAt(flaps, now));
      // One that flapped is not published yet.
      return state === "suspect" && !held ? become("active", "publish", "offer_work") : stay;
    }
    case "missed_answer":
      return state === "active"
        ? { lifecycle: { state: "suspect", since: now, flaps: afterFlap(flaps, now) }, effects: [] }
        : stay;
    case "gone":
      return isConnected(state) ? become("stale", ...DISCONNECT_EFFECTS) : stay;
    case "retention_over":
      return state === "stale" || state === "discovered"
        ? become("evicted", "remove_record")
        : stay;
    case "readmitted":
      return stay;
    default:
      return event satisfies never;
  }
}

/** Whether a peer in this state has an open session. */
export const isConnected = (state: PeerState): boolean => state === "active" || state === "suspect";
