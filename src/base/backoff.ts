import type { Millis } from "./clock.ts";

/** A pause that grows by `factor` with each failure in a row, from `initial` up to `max`. */
export interface Backoff {
  readonly initial: Millis;
  readonly max: Millis;
  /** Default: 2. */
  readonly factor?: number;
}

/** Steps after which every `max` is reached. Keeps the power finite, so that an `initial` of 0 stays 0. */
const STEPS_MAX = 40;

/** The pause after `failures` failures in a row, without jitter: `initial` after the first, then growing by `factor`. */
export function backoffPause({ initial, max, factor = 2 }: Backoff, failures: number): Millis {
  const steps = Math.min(Math.max(0, failures - 1), STEPS_MAX);
  return Math.min(max, initial * factor ** steps);
}

/*
 * Jitter spreads what failed together, so that it does not return together. "Full" and "equal" jitter are the terms of
 * M. Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015). `random` is in [0, 1).
 */

/** Evenly between 0 and the pause: the widest spread, for many clients that compete for one server. */
export const fullJitter = (pause: Millis, random: number): Millis => Math.floor(pause * random);

/** Evenly between half the pause and the pause: for retries that must not happen at once. */
export const equalJitter = (pause: Millis, random: number): Millis =>
  Math.ceil(pause * (0.5 + random / 2));

/** A quarter more or less than the pause: for long pauses whose length the documentation states. */
export const quarterJitter = (pause: Millis, random: number): Millis =>
  Math.round(pause * (0.75 + random / 2));
