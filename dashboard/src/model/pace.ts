/** How often the page asks the mesh. */

/** The share of the time that one kind of requests may take. A large mesh is asked less often. */
const BUSY_SHARE_MAX = 0.05;
/** The longest pause, also after errors. */
const PAUSE_MAX_MS = 60_000;
/** While events tell of the changes of a value, it is asked for this many times less often: for what events do not tell. */
const TOLD_FACTOR = 5;
/** Changes that come together are shown together: the pause after the first of them. */
export const GATHER_MS = 250;

/** The pause after a load that took `tookMs`, in milliseconds. */
export const pauseAfter = (tookMs: number, pauseMs: number): number =>
  Math.min(PAUSE_MAX_MS, Math.max(pauseMs, tookMs * (1 / BUSY_SHARE_MAX - 1)));

/** The same while events tell of changes. */
export const pauseWhileTold = (tookMs: number, pauseMs: number): number =>
  pauseAfter(tookMs, pauseMs * TOLD_FACTOR);

/**
 * The pause before a change is loaded, after `inRow` loads for changes in a row. The first changes are shown at once; while a mesh changes all the time, it is
 * asked no more often than without events.
 */
export const pauseBeforeChange = (tookMs: number, pauseMs: number, inRow: number): number =>
  pauseAfter(tookMs, Math.min(pauseMs, GATHER_MS * 2 ** Math.min(inRow, 10)));

/** The pause after the given number of failures in a row. */
export const pauseAfterFailure = (failures: number, pauseMs: number): number =>
  Math.min(PAUSE_MAX_MS, Math.max(1_000, pauseMs) * 2 ** Math.min(failures - 1, 10));
