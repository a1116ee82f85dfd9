import { toRfc3339 } from "../../base/clock.ts";
import type { AttemptView, CallbackView, TaskSummary, TaskView } from "../../protocol/http.ts";
import type { ResultExtra } from "../../registry/task-results.ts";
import type { Attempt, Task } from "../../tasks/task.ts";
import type { Callback } from "../../webhooks/index.ts";
import { timeOrNull } from "../kernel/time-or-null.ts";

export const taskSummary = (task: Omit<Task, "payload" | "result">): TaskSummary => ({
  id: task.id,
  kind: task.kind,
  payload_dropped: task.payloadDropped,
  state: task.state,
  source: task.source,
  owner: task.owner,
  traceparent: task.trace?.traceparent ?? null,
  requirements: task.requirements,
  priority: task.priority,
  concurrency: task.concurrency,
  created_at: toRfc3339(task.createdAt),
  not_before: toRfc3339(task.notBefore),
  deadline_at: toRfc3339(task.deadlineAt),
  ended_at: timeOrNull(task.endedAt),
  max_attempts: task.maxAttempts,
  retries: task.retries,
  attempts_used: task.attemptsUsed,
  max_interruptions: task.maxInterruptions,
  interruptions: task.interruptions,
  attempt_timeout_seconds: task.attemptTimeoutMs / 1_000,
  backoff: { first_seconds: task.backoffMs / 1_000, max_seconds: task.backoffMaxMs / 1_000 },
  lease_seconds: task.leaseMs / 1_000,
  peer_id: task.peerId,
  progress: task.progress,
  message: task.message,
  error: task.error,
});

export const taskView = (
  task: Task,
  attempts: readonly Attempt[],
  callback: Callback | null,
  extra: ResultExtra,
): TaskView => ({
  ...taskSummary(task),
  payload: task.payload,
  tracestate: task.trace?.tracestate ?? null,
  result: task.result,
  attempts: attempts.map(attemptView),
  callback: callback === null ? null : callbackView(callback),
  result_sealed: extra.sealed,
  result_bytes: extra.bytes,
  result_url: extra.blobId === null ? null : `/v1/tasks/${task.id}/result`,
  result_sha256: null,
  result_fence: null,
  result_signature: null,
});

const callbackView = ({ url, state, dueAt, attempts }: Callback): CallbackView => ({
  url,
  state,
  next_at: attempts.at(-1)?.endedAt === null ? null : timeOrNull(dueAt),
  attempts: attempts.map(({ at, endedAt, status, error }) => ({
    at: toRfc3339(at),
    ended_at: timeOrNull(endedAt),
    status,
    error,
  })),
});

const attemptView = (attempt: Attempt): AttemptView => ({
  attempt: attempt.fence,
  peer_id: attempt.peerId,
  peer_name: attempt.peerName,
  score: attempt.score,
  state: attempt.state,
  started_at: toRfc3339(attempt.startedAt),
  ended_at: timeOrNull(attempt.endedAt),
  error: attempt.error,
});
