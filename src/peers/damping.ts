import { MINUTE, SECOND, type Millis } from "../base/clock.ts";

/** How much a peer has come and gone lately: one for each time that it fell silent, forgotten by half in ten minutes. */
export interface Flaps {
  readonly penalty: number;
  /** When `penalty` was true. */
  readonly at: Millis;
}

export const NO_FLAPS: Flaps = { penalty: 0, at: 0 };

/** As in route flap damping (RFC 2439 §4.2): a penalty a flap, which decays exponentially. */
const HALF_LIFE: Millis = 10 * MINUTE;
/** Up to this penalty an answer restores a peer at once: anybody may lose a packet. */
const FREE = 1.5;
const HOLD: Millis = 30 * SECOND;
const HOLD_MAX: Millis = 15 * MINUTE;

/** What is left of the penalty now. */
export const penaltyAt = ({ penalty, at }: Flaps, now: Millis): number =>
  penalty * 0.5 ** (Math.max(0, now - at) / HALF_LIFE);

/** One more time that the peer fell silent. */
export const flapped = (flaps: Flaps, now: Millis): Flaps => ({
  penalty: penaltyAt(flaps, now) + 1,
  at: now,
});

/** How long a peer of this penalty stays suspect although it answers: nothing at first, then doubling up to 15 min. */
export function holdOf(penalty: number): Millis {
  return penalty <= FREE ? 0 : Math.min(HOLD_MAX, HOLD * 2 ** (penalty - 2));
}
