/** Until the object that has the rows of an import ends: its answer is sent before. */
export const REOPEN_AFTER_MS = 100;
/** The new object looks for what is due, also if nobody calls it. */
export const TICK_AFTER_MS = 2_000;
