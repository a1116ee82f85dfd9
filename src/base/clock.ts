import type { Bytes } from "./bytes.ts";

/** Milliseconds since the Unix epoch. Domain functions take it as `now`; only the edges read a clock. */
export type Millis = number;

/** Returns bytes from a cryptographically secure source. Tests pass a seeded one. */
export type RandomBytes = (length: number) => Bytes;

/** Returns a number in [0, 1), for decisions that need no secrecy (jitter, tie-breaks). */
export type Random = () => number;

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const toRfc3339 = (at: Millis): string => new Date(at).toISOString();
