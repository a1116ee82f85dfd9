import { HOUR, type Millis } from "../base/clock.ts";

/** A learned mean in milliseconds, and how many values it rests on. */
export interface ServiceTime {
  readonly meanMs: number;
  readonly weight: number;
  /** When the newest value came. Absent where the weight does not fade. */
  readonly at?: Millis;
}

/** The service time of a peer for a kind: it follows changes of the peer within a few tasks. */
export interface PeerServiceTime extends ServiceTime {
  readonly at: Millis;
  /** Mean of the newest values. */
  readonly recentMs: number;
  /** The evidence that the mean has changed: above 0 that it has grown, below 0 that it has fallen. */
  readonly drift: number;
}

/** How a peer's own mean counts against that of all peers. */
export interface ServiceTimeModel {
  /** Number of a peer's own values that weigh as much as the mean of all peers. */
  readonly halfKnown: number;
  /** The weight of a peer's mean halves in this time without a new value. */
  readonly halfLifeMs: number;
}

/** That of choices which were stored before there were others. */
const FIRST_MODEL: ServiceTimeModel = { halfKnown: 4, halfLifeMs: Infinity };

/** Limit of the past's weight in values: beyond it a new value counts one part in so many, and old ones fade. */
const WEIGHT_MAX = 64;

/** Share of the newest value in the recent mean, and the number of values that it is worth. */
const RECENT_SHARE = 0.4;
const RECENT_WEIGHT = 3;

/*
 * The change detector is a two-sided CUSUM (Page 1954) of the logarithm of a value relative to the mean. Service times
 * are taken to be log-normal with a standard deviation of 1, so that their logarithms lie 1/2 below that of the mean.
 */
const LOG_BIAS = 0.5;
/** A change by less than twice this logarithm (a factor of ten) is followed by the mean alone. */
const SLACK = 1.15;
/** Lower, and chance changes the mean of the best peer so often that the choice becomes worse (bench/selection). */
const CHANGED_AT = 5;
/** A mean of fewer values is itself too uncertain. */
const CHANGE_WEIGHT_MIN = 4;

/** The assumed service time of a kind that no peer has done yet. */
export const SERVICE_UNKNOWN_MS = 1_000;

/** The mean over all peers after one more service time. */
export function averageServiceTime(before: ServiceTime | null, serviceMs: number): ServiceTime {
  const value = Math.max(0, serviceMs);
  if (before === null) return { meanMs: value, weight: 1 };
  const weight = Math.min(WEIGHT_MAX, before.weight + 1);
  return { meanMs: before.meanMs + (value - before.meanMs) / weight, weight };
}

/** A peer's mean after one more service time. When the newest values show that it has changed, they replace it. */
export function addServiceTime(
  before: PeerServiceTime | null,
  serviceMs: number,
  now: Millis,
): PeerServiceTime {
  const value = Math.max(0, serviceMs);
  if (before === null) return { meanMs: value, weight: 1, at: now, recentMs: value, drift: 0 };
  const recentMs = before.recentMs + (value - before.recentMs) * RECENT_SHARE;
  const drift = driftAfter(before, value);
  if (Math.abs(drift) > CHANGED_AT && before.weight >= CHANGE_WEIGHT_MIN)
    return { meanMs: recentMs, weight: RECENT_WEIGHT, at: now, recentMs, drift: 0 };
  const weight = Math.min(WEIGHT_MAX, before.weight + 1);
  const meanMs = before.meanMs + (value - before.meanMs) / weight;
  return { meanMs, weight, at: now, recentMs, drift };
}

function driftAfter({ drift, meanMs }: PeerServiceTime, value: number): number {
  // A millisecond is added so that very short times, whose ratio is noise, do not count.
  const moved = drift + Math.log((value + 1) / (meanMs + 1)) + LOG_BIAS;
  return Math.sign(moved) * Math.max(0, Math.abs(moved) - SLACK);
}

/**
 * The expected service time of a peer for a kind: its own mean, shrunk toward the mean of all peers while it rests on
 * few or old values (an empirical Bayes estimate; Efron and Morris, JASA 1973).
 */
export function expectedServiceMs(
  ofPeer: ServiceTime | null,
  ofKind: ServiceTime | null,
  now: Millis = 0,
  { halfKnown, halfLifeMs }: ServiceTimeModel = FIRST_MODEL,
): number {
  const elsewhere = ofKind?.meanMs ?? SERVICE_UNKNOWN_MS;
  if (ofPeer === null) return elsewhere;
  const age = Math.max(0, now - (ofPeer.at ?? now));
  const weight = age === 0 ? ofPeer.weight : ofPeer.weight * 2 ** (-age / halfLifeMs);
  const own = weight / (weight + halfKnown);
  return own * ofPeer.meanMs + (1 - own) * elsewhere;
}

/** Tuned on seeds 1 to 5 of bench/selection. */
export const SERVICE_TIME_MODEL: ServiceTimeModel = { halfKnown: 0.5, halfLifeMs: HOUR };
