import { SECOND } from "../base/clock.ts";

/** Bounds of the events of a mesh; times in milliseconds. */

export const EVENT_FILTER_TYPES_MAX = 10;
export const EVENT_FILTER_TASKS_MAX = 100;
/** Streams of events that are open at once: of one token, and in all. */
export const EVENT_STREAMS_OF_OWNER_MAX = 200;
export const EVENT_STREAMS_MAX = 500;
/** A stream without events sends a comment this often. */
export const EVENT_HEARTBEAT_INTERVAL = 15 * SECOND;
/** A stream of which nothing was heard for this long is broken. */
export const EVENT_STREAM_TIMEOUT = 70 * SECOND;
/** The coordinator sends a stream no more while this many characters have not been taken by its reader. */
export const EVENT_WINDOW_CHARS = 32 * 1_024;
