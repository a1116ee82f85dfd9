import type { Millis } from "../base/clock.ts";
import type { PeerState } from "../protocol/http.ts";
import { flapped, holdOf, penaltyAt, type Flaps } from "./damping.ts";

/** Where a peer stands in its life, and since when. */
export interface Lifecycle {
  readonly state: PeerState;
  /** When it came into this state. */
  readonly since: Millis;
  readonly flaps: Flaps;
}

/**
 * What happens to a peer, as far as its state goes: it proved its key; answered; missed an answer; its session is over;
 * the operator revoked it, or lifted that; it was away for longer than it is remembered.
 */
export const PEER_EVENTS = [
  "proved",
  "answered",
  "missed_answer",
  "gone",
  "revoked",
  "readmitted",
  "retention_over",
] as const;
export type PeerEvent = (typeof PEER_EVENTS)[number];

/** What a change of state brings with it; whoever keeps the peer performs it in the same transaction. */
type LifecycleEffect =
  /** Seal its record and publish a pointer to it. */
  | "publish"
  /** Take the pointer back. */
  | "withdraw"
  /** Nothing is held by it any more. */
  | "release_leases"
  /** Somebody can take more than before: look at what waits. */
  | "offer_work"
  /** Remove its record, and keep a tombstone. */
  | "bury";

export interface LifecycleTransition {
  readonly lifecycle: Lifecycle;
  readonly effects: readonly LifecycleEffect[];
}

const DISCONNECT_EFFECTS: readonly LifecycleEffect[] = ["release_leases", "withdraw", "offer_work"];

/**
 * The lifecycle of a peer (DESIGN §4, SPEC LV5): the life after an event, and what that brings with it. A revoked peer stays
 * revoked whatever its sockets still do, until the operator readmits it. A flapping one stays suspect for a while although it
 * answers (LV9).
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
    case "answered": {
      const held = now - since < holdOf(penaltyAt(flaps, now));
      return state === "suspect" && !held ? become("active", "offer_work") : stay;
    }
    case "missed_answer":
      return state === "active"
        ? { lifecycle: { state: "suspect", since: now, flaps: flapped(flaps, now) }, effects: [] }
        : stay;
    case "gone":
      return isConnected(state) ? become("stale", ...DISCONNECT_EFFECTS) : stay;
    case "retention_over":
      return state === "stale" || state === "discovered" ? become("evicted", "bury") : stay;
    case "readmitted":
      return stay;
    default:
      return event satisfies never;
  }
}

/** Whether a peer in this state has a live session. */
export const isConnected = (state: PeerState): boolean => state === "active" || state === "suspect";
