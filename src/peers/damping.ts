import { MINUTE, SECOND, type Millis } from "../base/clock.ts";

/** The flap penalty of a peer: 1 for each time that it fell silent, halved every ten minutes. */
export interface Flaps {
  readonly penalty: number;
  /** The time for which `penalty` holds. */
  readonly at: Millis;
}

export const NO_FLAPS: Flaps = { penalty: 0, at: 0 };

/** Half-life of the penalty, which decays exponentially, as in route flap damping (RFC 2439 section 4.2). */
const HALF_LIFE: Millis = 10 * MINUTE;
/** Up to this penalty an answer restores a peer at once: a lost packet is normal. */
const SUPPRESSION_THRESHOLD = 1.5;
const SUPPRESSION_INITIAL: Millis = 30 * SECOND;
const SUPPRESSION_MAX: Millis = 15 * MINUTE;

/** The penalty as it has decayed by now. */
export const penaltyAt = ({ penalty, at }: Flaps, now: Millis): number =>
  penalty * 0.5 ** (Math.max(0, now - at) / HALF_LIFE);

/** Adds the penalty of one more flap. */
export const afterFlap = (flaps: Flaps, now: Millis): Flaps => ({
  penalty: penaltyAt(flaps, now) + 1,
  at: now,
});

/**
 * How long a peer with this penalty stays suspect although it answers: not at all at first, then doubling up to 15
 * min.
 */
export function suppressionTime(penalty: number): Millis {
  return penalty <= SUPPRESSION_THRESHOLD
    ? 0
    : Math.min(SUPPRESSION_MAX, SUPPRESSION_INITIAL * 2 ** (penalty - 2));
}
