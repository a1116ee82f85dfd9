import type { Millis } from "../../base/clock.ts";

/** Node's timers refuse fractions of milliseconds and times of more than 32 bits. */
const TIMEOUT_MAX: Millis = 2 ** 31 - 1;

/** A signal that aborts after any positive time, at the end of the millisecond. */
export const timeoutSignal = (ms: Millis): AbortSignal =>
  AbortSignal.timeout(Math.min(TIMEOUT_MAX, Math.ceil(ms)));
