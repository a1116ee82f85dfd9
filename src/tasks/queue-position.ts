import type { Millis } from "../base/clock.ts";
import { PRIORITY_AGING_STEP } from "../protocol/constants.ts";
import type { Task } from "./task.ts";

/**
 * A task's position in the queue: the time since which it waits, moved ahead by a minute for each step of priority.
 * Smaller goes first. Urgency that grows evenly with waiting (priority + waited / step) orders two tasks alike at any
 * moment, so the order never changes and an index holds it. No task starves: a task that comes later by the whole span
 * of priorities goes behind it.
 */
export const queuePositionOf = (priority: number, waitsFrom: Millis): number =>
  waitsFrom - priority * PRIORITY_AGING_STEP;

/** The time since which a task waits, which its position was made of. */
export const waitsFrom = ({
  priority,
  queuePosition,
}: Pick<Task, "priority" | "queuePosition">): Millis =>
  queuePosition + priority * PRIORITY_AGING_STEP;
