import type { Millis } from "../base/clock.ts";
import { ACCEPT_TIMEOUT } from "../protocol/constants.ts";
import type { Task } from "./task.ts";

/*
 * A lease says until when a peer holds a task. An offer has a short one, until the peer accepts. From then on every sign of
 * life renews the lease by the length that the task's caller chose (`lease_seconds`).
 */

/** When an offer that is made now ends unless the peer accepts it. */
export const offerEndsAt = (now: Millis): Millis => now + ACCEPT_TIMEOUT;

/** When the lease of a task ends that is accepted or renewed now. */
export const leaseEndsAt = ({ leaseMs }: Pick<Task, "leaseMs">, now: Millis): Millis =>
  now + leaseMs;
