import type { Millis } from "../base/clock.ts";
import type { Place } from "../base/place.ts";
import { noOutcomes, type Outcomes } from "./outcomes.ts";
import type { Uptime } from "./uptime.ts";

/** What was observed about a peer over its sessions, besides its RTT. */
export interface Observed {
  readonly outcomes: Outcomes;
  /** Null before its first session. */
  readonly uptime: Uptime | null;
  /** When its newest session began. */
  readonly connectedAt: Millis | null;
  /** The location that it last connected from, as the platform reports it. */
  readonly place: Place | null;
}

export const nothingObserved = (now: Millis): Observed => ({
  outcomes: noOutcomes(now),
  uptime: null,
  connectedAt: null,
  place: null,
});
