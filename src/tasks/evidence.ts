import type { Millis } from "../base/clock.ts";
import type { Outcomes } from "../scoring/outcomes.ts";
import type { Learned } from "../scoring/service-time.ts";

/** What was observed of a peer, as its expected cost for one task follows from it; null was never measured. */
export interface Evidence {
  /** Smoothed round-trip time and its mean deviation (RFC 6298), in milliseconds. */
  readonly rttMs: number | null;
  readonly rttVarianceMs: number | null;
  readonly outcomes: Outcomes;
  /** How long the peer takes for tasks of this kind. */
  readonly service: Learned | null;
  /** When its session began. */
  readonly connectedAt: Millis | null;
  /** Its share of what was lately given out, 0..1. */
  readonly share: number;
  /** Estimated round-trip time to the place or peer that the task wants to be near; null when it wants none. */
  readonly nearMs: number | null;
}
