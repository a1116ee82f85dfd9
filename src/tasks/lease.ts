import type { Millis } from "../base/clock.ts";
import { ACCEPT_TIMEOUT } from "../protocol/constants.ts";
import type { Task } from "./task.ts";

/*
 * A lease says until when a peer holds a task. An offer has a short one, until the peer accepts. From then on every sign of
 * life renews the lease by the length that the task's caller chose (`lease_seconds`), but not beyond the attempt's timeout.
 */

/** When an offer that is made now ends unless the peer accepts it. */
export const offerEndsAt = (now: Millis): Millis => now + ACCEPT_TIMEOUT;

/** When the lease of a task ends that is accepted or renewed now. */
export const leaseEndsAt = (
  { leaseMs, attemptUntil }: Pick<Task, "leaseMs" | "attemptUntil">,
  now: Millis,
): Millis => Math.min(now + leaseMs, attemptUntil ?? Infinity);

/** When an attempt has taken too long that began at `begunAt`. */
export const attemptEndsAt = (
  { attemptTimeoutMs }: Pick<Task, "attemptTimeoutMs">,
  begunAt: Millis,
): Millis => begunAt + attemptTimeoutMs;
