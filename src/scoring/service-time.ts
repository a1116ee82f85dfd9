/** A mean that was learned, in milliseconds, and how many values it rests on. */
export interface Learned {
  readonly meanMs: number;
  readonly weight: number;
}

/** Values that the past weighs at most: from then on a new one counts one part in so many, and old ones fade. */
const WEIGHT_MAX = 64;

/** Values of a peer's own that count as much as what the kind takes elsewhere. */
const HALF_KNOWN = 4;

/** What a task of a kind that nobody has done yet is taken to need. */
export const SERVICE_UNKNOWN_MS = 1_000;

/** The mean after one more service time; the first stands for itself. */
export function learn(before: Learned | null, serviceMs: number): Learned {
  const value = Math.max(0, serviceMs);
  if (before === null) return { meanMs: value, weight: 1 };
  const weight = Math.min(WEIGHT_MAX, before.weight + 1);
  return { meanMs: before.meanMs + (value - before.meanMs) / weight, weight };
}

/**
 * How long a peer will work on a task of a kind: its own mean, drawn towards the mean of all peers as long as it rests
 * on few values (an empirical Bayes estimate; Efron and Morris, JASA 1973).
 */
export function expectedServiceMs(ofPeer: Learned | null, ofKind: Learned | null): number {
  const elsewhere = ofKind?.meanMs ?? SERVICE_UNKNOWN_MS;
  if (ofPeer === null) return elsewhere;
  const own = ofPeer.weight / (ofPeer.weight + HALF_KNOWN);
  return own * ofPeer.meanMs + (1 - own) * elsewhere;
}
