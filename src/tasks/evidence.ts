import type { Millis } from "../base/clock.ts";
import type { Outcomes } from "../scoring/outcomes.ts";
import type { ServiceTime } from "../scoring/service-time.ts";

/** What was observed about a peer, from which its expected cost for one task follows; null where never measured. */
export interface Evidence {
  /** Smoothed round-trip time and its mean deviation (RFC 6298), in milliseconds. */
  readonly rttMs: number | null;
  readonly rttVarianceMs: number | null;
  readonly outcomes: Outcomes;
  /** The peer's service time for tasks of this kind. */
  readonly service: ServiceTime | null;
  /** When its session began. */
  readonly connectedAt: Millis | null;
  /** Its share of the recently assigned tasks, 0..1. */
  readonly share: number;
  /** Estimated round-trip time to the location or peer that the task asks to be near; null when it asks for none. */
  readonly nearMs: number | null;
}
