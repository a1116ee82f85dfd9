import type { Millis } from "../base/clock.ts";
import { PRIORITY_AGING_STEP } from "../protocol/constants.ts";

/**
 * When a task's turn comes, as a number that is smaller for who goes first: the time from which it waits, moved ahead
 * by a minute for each step of priority. Urgency that grows evenly with waiting (priority + waited / step) orders two
 * tasks alike at any moment, so the order never has to be computed again, and an index holds it.
 *
 * Nothing starves: whatever comes later than a task by the whole span of priorities goes behind it.
 */
export const turnOf = (priority: number, waitsFrom: Millis): number =>
  waitsFrom - priority * PRIORITY_AGING_STEP;
