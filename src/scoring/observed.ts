import type { Millis } from "../base/clock.ts";
import type { Place } from "../base/place.ts";
import { noOutcomes, type Outcomes } from "./outcomes.ts";
import type { Uptime } from "./uptime.ts";

/** What was observed of a peer over its sessions, beside its round-trip time. */
export interface Observed {
  readonly outcomes: Outcomes;
  /** Null before its first session. */
  readonly uptime: Uptime | null;
  /** When its newest session began. */
  readonly connectedAt: Millis | null;
  /** Where it last connected from, as the platform places it. */
  readonly place: Place | null;
}

export const nothingObserved = (now: Millis): Observed => ({
  outcomes: noOutcomes(now),
  uptime: null,
  connectedAt: null,
  place: null,
});
