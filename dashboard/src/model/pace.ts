/** How often the page asks the mesh. */

/** The share of the time that one kind of requests may take. A large mesh is asked less often. */
const BUSY_SHARE_MAX = 0.05;
/** The longest pause, also after errors. */
const PAUSE_MAX_MS = 60_000;

/** The pause after a load that took `tookMs`, in milliseconds. */
export const pauseAfter = (tookMs: number, pauseMs: number): number =>
  Math.min(PAUSE_MAX_MS, Math.max(pauseMs, tookMs * (1 / BUSY_SHARE_MAX - 1)));

/** The pause after the given number of failures in a row. */
export const pauseAfterFailure = (failures: number, pauseMs: number): number =>
  Math.min(PAUSE_MAX_MS, Math.max(1_000, pauseMs) * 2 ** Math.min(failures - 1, 10));
