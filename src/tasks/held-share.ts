import { MINUTE, SECOND, type Millis } from "../base/clock.ts";
import { ACCEPT_TIMEOUT } from "../protocol/constants.ts";
import type { ServiceTime } from "../scoring/service-time.ts";
import type { Task } from "./task.ts";

/*
 * What an attempt says about its peer that the deadline, the caller or the attempt timeout has ended. These limits are the caller's: one
 * who sets them to a second must not be able to lower the scores of the peers. So such an attempt counts as a part of a timeout, in proportion to
 * how long the peer had the task. A caller that wants to harm a peer has to occupy its slots for as long as the peer needs for several
 * tasks, and a peer that holds tasks and never completes one collects full timeouts.
 */

/** An attempt that ran this many times as long as is usual for the kind counts in full. Honest times rarely exceed it. */
const USUAL_TIMES = 5;
/** The time after which an attempt counts in full is never less than this: below it the network decides. */
const FULL_AFTER_MIN: Millis = 2 * SECOND;
/** That of a kind that no peer has done yet. */
const FULL_AFTER_UNKNOWN: Millis = MINUTE;
/** A smaller share counts as nothing: within a quarter of the usual time few peers would have been done. */
const SHARE_MIN = 0.05;

/**
 * Which part of a timeout an attempt counts, 0..1.
 *
 * @param heldMs how long the peer had the task
 * @param ofKind how long tasks of the kind usually take over all peers; null while none was done
 */
export function timeoutShare(heldMs: Millis, ofKind: ServiceTime | null): number {
  const full =
    ofKind === null ? FULL_AFTER_UNKNOWN : Math.max(FULL_AFTER_MIN, USUAL_TIMES * ofKind.meanMs);
  const share = Math.min(1, Math.max(0, heldMs) / full);
  return share < SHARE_MIN ? 0 : share;
}

/** How long a task has been running at its peer; 0 while none has begun it. */
export const ranFor = (
  {
    state,
    attemptUntil,
    attemptTimeoutMs,
  }: Pick<Task, "state" | "attemptUntil" | "attemptTimeoutMs">,
  now: Millis,
): Millis =>
  state !== "running" || attemptUntil === null ? 0 : now - (attemptUntil - attemptTimeoutMs);

/** An offer that has stood for less than this many round trips, or this time, may be answered by now. */
const ANSWER_ROUND_TRIPS = 4;
const ANSWER_TIME_MIN: Millis = SECOND / 2;

/** Which part of an offer that was not accepted in time it counts that a peer has not answered for a shorter time. */
export const unansweredShare = (waitedMs: Millis, rttMs: Millis): number =>
  waitedMs < Math.max(ANSWER_TIME_MIN, ANSWER_ROUND_TRIPS * rttMs)
    ? 0
    : Math.min(1, waitedMs / ACCEPT_TIMEOUT);
