import { HOUR, MINUTE, SECOND, type Millis } from "../../src/base/clock.ts";
import type { TaskState } from "../../src/protocol/http.ts";
import type { PeerId } from "../../src/protocol/ids.ts";

/** How an attempt of the model stands or ended. */
type ModelAttemptState =
  | "open"
  | "succeeded"
  | "failed"
  | "timed_out"
  | "lost"
  | "unanswered"
  | "refused"
  | "reclaimed";

export interface ModelAttempt {
  readonly fence: number;
  /** How often the task had been retried before. */
  readonly retries: number;
  readonly peer: PeerId;
  state: ModelAttemptState;
  readonly offeredAt: Millis;
  begunAt: Millis | null;
}

export interface ModelTask {
  readonly id: string;
  readonly kind: string;
  /** Its position in the queue: the time from which it waits, and a minute earlier for each step of priority. */
  turn: Millis;
  readonly priority: number;
  /** The number of tasks that were submitted before it. */
  readonly submissionIndex: number;
  readonly capabilities: readonly string[];
  readonly requiredPeer: PeerId | undefined;
  readonly maxAttempts: number;
  readonly maxInterruptions: number;
  readonly leaseMs: number;
  readonly attemptTimeoutMs: number;
  readonly deadlineMs: number;
  deadlineAt: Millis;
  state: TaskState;
  /** The fence of the current attempt: the newest, unless an older one was resumed. */
  fence: number;
  /** The newest fence. */
  lastFence: number;
  /** How often it was put back into the queue after its end. */
  retries: number;
  tries: number;
  interruptions: number;
  /** The peer that holds it; for an ended task, the last one. */
  holder: PeerId | null;
  leaseUntil: Millis | null;
  /** Whether it waits at its holder for a slot. */
  prefetched: boolean;
  notBefore: Millis;
  /** The number of failures or interruptions that the pause follows. */
  pausedAfter: number;
  endedAt: Millis | null;
  result: string | null;
  /** Every attempt, the oldest first. */
  readonly attempts: ModelAttempt[];
  readonly refusals: Map<PeerId, { readonly at: Millis; readonly count: number }>;
}

/** The fields that are equal for every task that was just submitted. */
export const newTask = () => ({
  state: "queued" as TaskState,
  fence: 0,
  lastFence: 0,
  retries: 0,
  tries: 0,
  interruptions: 0,
  holder: null,
  leaseUntil: null,
  prefetched: false,
  pausedAfter: 0,
  endedAt: null,
  result: null,
  attempts: [] as ModelAttempt[],
  refusals: new Map<PeerId, { readonly at: Millis; readonly count: number }>(),
});

export const isHeld = ({ state }: ModelTask): boolean => state === "leased" || state === "running";
export const isEnded = ({ endedAt }: ModelTask): boolean => endedAt !== null;
export const compareQueueOrder = (a: ModelTask, b: ModelTask): number =>
  a.turn - b.turn || a.submissionIndex - b.submissionIndex;

/** The attempt with this fence. */
export const attemptOf = ({ attempts }: ModelTask, fence: number): ModelAttempt | undefined =>
  attempts.find((one) => one.fence === fence);

/** Whether a peer may still be at work on an attempt that was given up. */
export const mayBeAtWork = ({ state }: ModelAttempt): boolean =>
  state === "lost" || state === "timed_out";

/** When the attempt has taken too long; never before it has begun. */
export const timeoutOf = ({ attemptTimeoutMs }: ModelTask, { begunAt }: ModelAttempt): Millis =>
  (begunAt ?? Infinity) + attemptTimeoutMs;

/**
 * Whether an attempt that was given up goes on when its peer is heard: AS63, nobody has begun a later one. `outcome`: whether
 * the peer sends the work's outcome, which counts also if the task is being offered to this peer again.
 */
export function isResumable(
  task: ModelTask,
  attempt: ModelAttempt,
  now: Millis,
  outcome: boolean,
): boolean {
  if (attempt.retries !== task.retries) return false;
  const waits = task.state === "queued" || (task.state === "leased" && isGivenUp(attempt));
  if (!waits || now >= task.deadlineAt) return false;
  if (isHeld(task) && task.holder === attempt.peer && !outcome) return false;
  if (task.attempts.some(({ fence, begunAt }) => fence > attempt.fence && begunAt !== null))
    return false;
  if (attempt.state === "unanswered")
    return !task.attempts.some((one) => mayBeAtWork(one) && one.peer !== attempt.peer);
  return mayBeAtWork(attempt) && now < timeoutOf(task, attempt);
}

const isGivenUp = ({ state }: ModelAttempt): boolean => state !== "open";

/** Until when a peer that refused so often is not offered the task again. */
export const refusalEnd = ({ at, count }: { at: Millis; count: number }): Millis =>
  at + Math.min(HOUR, MINUTE * 2 ** (count - 1));

/** The peers that began the task and did not complete it. */
export const triedBy = ({ attempts }: ModelTask): ReadonlySet<PeerId> =>
  new Set(
    attempts.filter((one) => one.state === "failed" || mayBeAtWork(one)).map(({ peer }) => peer),
  );

/** Of the refusals of one peer only the newest is kept as a row. */
export function storedAttempts({ attempts }: ModelTask): number {
  const refusers = attempts.filter(({ state }) => state === "refused").map(({ peer }) => peer);
  return attempts.length - (refusers.length - new Set(refusers).size);
}

/** What a request to cancel or to retry a task does: it succeeds, changes nothing, or is refused with this code. */
export function expectedAct(act: "cancel" | "retry", { state, endedAt }: ModelTask): string {
  if (state === "succeeded") return "task_ended";
  if (act === "retry") return endedAt === null ? "unchanged" : "ok";
  if (endedAt === null) return "ok";
  return state === "cancelled" ? "unchanged" : "task_ended";
}

/** A task that has ended without success goes back into the queue (AS80). */
export function putBack(task: ModelTask, now: Millis): void {
  Object.assign(task, {
    state: "queued",
    retries: task.retries + 1,
    fence: ++task.lastFence,
    turn: now - task.priority * MINUTE,
    deadlineAt: now + task.deadlineMs,
    notBefore: now,
    tries: 0,
    interruptions: 0,
    holder: null,
    endedAt: null,
  });
}

/** The least and the longest pause after so many failures or interruptions, in milliseconds. */
export const retryPauseBounds = (failures: number): readonly [number, number] => {
  const longest = Math.min(MINUTE, (SECOND / 2) * 2 ** (failures - 1));
  return [longest / 2, longest];
};
