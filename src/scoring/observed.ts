import type { Millis } from "../base/clock.ts";
import type { Place } from "../base/place.ts";
import type { Parallelism } from "./earned-slots.ts";
import type { ReportedRoute } from "./hops.ts";
import { noOutcomes, type Outcomes } from "./outcomes.ts";
import type { Uptime } from "./uptime.ts";

/** What was observed about a peer over its sessions, besides its RTT. */
export interface Observed {
  readonly outcomes: Outcomes;
  /** Null before its first session. */
  readonly uptime: Uptime | null;
  /** When its newest session began. */
  readonly connectedAt: Millis | null;
  /** The location that it last connected from. */
  readonly place: ObservedPlace | null;
  /** The network path to the mesh that it last reported. */
  readonly route: ReportedRoute | null;
  /** How many of its slots its service times show it to serve at once; null while it has served nothing. */
  readonly parallelism: Parallelism | null;
}

/** A location by the address of a connection. */
export interface ObservedPlace extends Place {
  /** Who said so: the platform, or the name and date of a database. */
  readonly source: string;
  /** When the connection began; null if that was before this was stored. */
  readonly at: Millis | null;
}

/** The source of locations that the platform reports, as Cloudflare does. */
export const PLATFORM_SOURCE = "the platform";

export const nothingObserved = (now: Millis): Observed => ({
  outcomes: noOutcomes(now),
  uptime: null,
  connectedAt: null,
  place: null,
  route: null,
  parallelism: null,
});
