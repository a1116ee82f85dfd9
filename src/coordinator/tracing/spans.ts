import type { Millis } from "../../base/clock.ts";
import type { Attempt, Task } from "../../tasks/task.ts";
import type { Callback } from "../../webhooks/index.ts";
import { submitterSpanOf } from "./sampling.ts";
import { PLACES, spanIdOf, type Span } from "./span.ts";

/** What is stored of a task, as far as its spans need it. */
export interface StoredRun {
  readonly task: Omit<Task, "payload" | "result">;
  readonly attempts: readonly Attempt[];
  readonly callback: Callback | null;
  /** When the upload of its large result began, and the result's bytes; null for a result that was not uploaded. */
  readonly upload: { readonly begunAt: Millis; readonly bytes: number } | null;
}

/** The newest attempts of a task that have spans: with its interruptions a task may have hundreds. */
export const ATTEMPTS_MAX = 128;

/**
 * The spans of a task since its newest retry, without those of its callback: the task, its submission, and one after another the times in
 * the queue and the attempts.
 */
export function taskSpans(run: StoredRun): readonly Span[] {
  const { task, upload } = run;
  const { id, retries, kind, state, source, endedAt } = task;
  const startedAt = beginningOf(task);
  const root: Span = {
    spanId: rootIdOf(task),
    parentId: submitterSpanOf(task),
    name: "muster.task",
    startedAt,
    endedAt,
    failed: state === "failed" || state === "expired",
    attributes: {
      "muster.task.id": id,
      "muster.task.kind": kind,
      "muster.task.state": state,
      "muster.task.source": source,
      "muster.task.priority": task.priority,
      "muster.task.retries": retries,
      "muster.task.attempts_used": task.attemptsUsed,
      "muster.task.interruptions": task.interruptions,
    },
  };
  const submit: Span = {
    spanId: spanIdOf(id, PLACES.submit(retries)),
    parentId: root.spanId,
    name: retries === 0 ? "muster.submit" : "muster.retry",
    startedAt,
    endedAt: startedAt,
    failed: false,
    attributes: { "muster.task.id": id },
  };
  const attempts = attemptsOf(run);
  const uploads = upload === null ? [] : uploadSpan(task, attempts, upload);
  return [root, submit, ...queueSpans(task, attempts), ...uploads];
}

const rootIdOf = ({ id, retries }: Pick<Task, "id" | "retries">): string =>
  spanIdOf(id, PLACES.task(retries));

const beginningOf = ({ createdAt, retriedAt }: Pick<Task, "createdAt" | "retriedAt">): Millis =>
  retriedAt ?? createdAt;

/** The attempts since the newest retry, in their order. */
const attemptsOf = ({ task, attempts }: StoredRun): readonly Attempt[] =>
  attempts.filter(({ retries }) => retries === task.retries).slice(-ATTEMPTS_MAX);

/** The attempts, and the times before, between and after them, in which no peer held the task. */
export function queueSpans(task: StoredRun["task"], attempts: readonly Attempt[]): readonly Span[] {
  const spans: Span[] = [];
  let heldUntil: Millis | null = beginningOf(task);
  for (const attempt of attempts) {
    const isFirst = spans.length === 0;
    if (heldUntil !== null && (isFirst || attempt.startedAt > heldUntil))
      spans.push(
        waitSpan(task, PLACES.wait(attempt.fence), { from: heldUntil, to: attempt.startedAt }),
      );
    spans.push(attemptSpan(task, attempt));
    // An attempt that was resumed may end after the one that followed it.
    const until = attempt.endedAt;
    heldUntil = heldUntil === null || until === null ? null : Math.max(heldUntil, until);
  }
  const isWaiting = heldUntil !== null && (task.endedAt === null || task.endedAt > heldUntil);
  if (heldUntil !== null && isWaiting)
    spans.push(
      waitSpan(task, PLACES.lastWait(task.retries), { from: heldUntil, to: task.endedAt }),
    );
  return spans;
}

const waitSpan = (
  task: StoredRun["task"],
  place: string,
  { from, to }: { readonly from: Millis; readonly to: Millis | null },
): Span => ({
  spanId: spanIdOf(task.id, place),
  parentId: rootIdOf(task),
  name: "muster.wait",
  startedAt: from,
  endedAt: to === null ? null : Math.max(from, to),
  failed: false,
  attributes: { "muster.task.id": task.id },
});

/** States of attempts in which something went wrong. An offer that was refused or taken back is none of them. */
const FAILED_STATES: ReadonlySet<Attempt["state"]> = new Set([
  "failed",
  "timed_out",
  "lost",
  "abandoned",
]);

/** Whether something went wrong in an attempt. */
export const isFailedAttempt = ({ state }: Attempt): boolean => FAILED_STATES.has(state);

function attemptSpan(task: StoredRun["task"], attempt: Attempt): Span {
  const { fence, startedAt, begunAt, endedAt, state } = attempt;
  return {
    spanId: spanIdOf(task.id, PLACES.attempt(fence)),
    parentId: rootIdOf(task),
    name: "muster.attempt",
    startedAt,
    endedAt: endedAt === null ? null : Math.max(startedAt, endedAt),
    failed: isFailedAttempt(attempt),
    attributes: {
      "muster.task.id": task.id,
      "muster.task.kind": task.kind,
      "muster.attempt.fence": fence,
      "muster.attempt.state": state,
      "muster.peer.id": attempt.peerId,
      "muster.peer.name": attempt.peerName,
      "muster.peer.score": attempt.score,
      // From the offer to the beginning: the way to the peer, and its wait for a slot there.
      ...(begunAt !== null && {
        "muster.attempt.begun_after_ms": Math.max(0, begunAt - startedAt),
      }),
    },
  };
}

/** The upload of a large result, by the attempt that succeeded. */
function uploadSpan(
  task: StoredRun["task"],
  attempts: readonly Attempt[],
  { begunAt, bytes }: NonNullable<StoredRun["upload"]>,
): readonly Span[] {
  const attempt = attempts.find(({ fence }) => fence === task.fence);
  if (attempt === undefined) return [];
  return [
    {
      spanId: spanIdOf(task.id, PLACES.upload(attempt.fence)),
      parentId: spanIdOf(task.id, PLACES.attempt(attempt.fence)),
      name: "muster.upload",
      startedAt: begunAt,
      endedAt: attempt.endedAt === null ? null : Math.max(begunAt, attempt.endedAt),
      failed: false,
      attributes: { "muster.task.id": task.id, "muster.result.bytes": bytes },
    },
  ];
}

/** The spans of a task's callback: from the task's end to the last attempt, and each attempt. Of the receiver only its host is named. */
export function callbackSpans({ task, callback }: StoredRun): readonly Span[] {
  const first = callback?.attempts[0];
  if (callback === null || first === undefined) return [];
  const { id, retries } = task;
  const { host } = new URL(callback.origin);
  const { state } = callback;
  const isSettled = state !== "pending" && state !== "waiting";
  const startedAt = Math.min(task.endedAt ?? first.at, first.at);
  const lastEnd = callback.attempts.reduce(
    (last, { at, endedAt }) => Math.max(last, endedAt ?? at),
    0,
  );
  const whole: Span = {
    spanId: spanIdOf(id, PLACES.callback(retries, first.at)),
    parentId: rootIdOf(task),
    name: "muster.callback",
    startedAt,
    endedAt: isSettled ? lastEnd : null,
    failed: state === "failed",
    attributes: {
      "muster.task.id": id,
      "muster.callback.state": state,
      "server.address": host,
    },
  };
  const attempts = callback.attempts.map(({ at, endedAt, status }): Span => ({
    spanId: spanIdOf(id, PLACES.callbackAttempt(retries, at)),
    parentId: whole.spanId,
    name: "muster.callback.attempt",
    startedAt: at,
    // One whose outcome was lost ended at some time before the next.
    endedAt: endedAt ?? (isSettled ? at : null),
    failed: endedAt !== null && !(status !== null && status >= 200 && status < 300),
    attributes: {
      "muster.task.id": id,
      "server.address": host,
      ...(status !== null && { "http.response.status_code": status }),
    },
  }));
  return [whole, ...attempts];
}
