/** A learned mean in milliseconds, and how many values it rests on. */
export interface ServiceTime {
  readonly meanMs: number;
  readonly weight: number;
}

/** Limit of the past's weight in values: beyond it a new value counts one part in so many, and old ones fade. */
const WEIGHT_MAX = 64;

/** Number of a peer's own values that weigh as much as the mean of all peers. */
const HALF_KNOWN = 4;

/** The assumed service time of a kind that no peer has done yet. */
export const SERVICE_UNKNOWN_MS = 1_000;

/** The mean after one more service time. */
export function addServiceTime(before: ServiceTime | null, serviceMs: number): ServiceTime {
  const value = Math.max(0, serviceMs);
  if (before === null) return { meanMs: value, weight: 1 };
  const weight = Math.min(WEIGHT_MAX, before.weight + 1);
  return { meanMs: before.meanMs + (value - before.meanMs) / weight, weight };
}

/**
 * The expected service time of a peer for a kind: its own mean, shrunk toward the mean of all peers while it rests on
 * few values (an empirical Bayes estimate; Efron and Morris, JASA 1973).
 */
export function expectedServiceMs(ofPeer: ServiceTime | null, ofKind: ServiceTime | null): number {
  const elsewhere = ofKind?.meanMs ?? SERVICE_UNKNOWN_MS;
  if (ofPeer === null) return elsewhere;
  const own = ofPeer.weight / (ofPeer.weight + HALF_KNOWN);
  return own * ofPeer.meanMs + (1 - own) * elsewhere;
}
