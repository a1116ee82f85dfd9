import type { Millis } from "../base/clock.ts";
import { RECONNECT_BASE, RECONNECT_CAP, STABLE_SESSION_MIN } from "./timings.ts";

/** Doublings after which every cap is reached; keeps 2 ** n finite. */
const DOUBLINGS_MAX = 20;

/** Full jitter: evenly between 0 and `base` doubled `failures` times, at most `cap`. `random` is in [0, 1). */
export const fullJitter = (
  failures: number,
  random: number,
  base: Millis = RECONNECT_BASE,
  cap: Millis = RECONNECT_CAP,
): Millis => Math.floor(random * Math.min(cap, base * 2 ** Math.min(failures, DOUBLINGS_MAX)));

/** Failures in a row once a session ended that lived for `lived`; null when it never became one. */
export const failuresAfter = (failures: number, lived: Millis | null): number =>
  lived !== null && lived >= STABLE_SESSION_MIN ? 0 : failures + 1;
