import type { Attempt } from "../../tasks/task.ts";
import { submitterSpanOf } from "./sampling.ts";
import { PLACES, spanIdOf, type Span } from "./span.ts";
import { ATTEMPTS_MAX, isFailedAttempt, queueSpans, type StoredRun } from "./spans.ts";

/** What a task did before a retry. */
export interface EarlierRound {
  /** How often the task had been retried by then. */
  readonly retries: number;
  readonly spans: readonly Span[];
}

/**
 * The rounds before the newest retry of which attempts are stored, in their order. Their spans have the IDs that they had when they were
 * sent. When a round ended, and its callback, is not stored: its root ends with its last attempt, and has no state.
 */
export function earlierRounds({ task, attempts }: StoredRun): readonly EarlierRound[] {
  const earlier = attempts.filter(({ retries }) => retries < task.retries).slice(-ATTEMPTS_MAX);
  const rounds = Map.groupBy(earlier, ({ retries }) => retries);
  return [...rounds]
    .toSorted(([a], [b]) => a - b)
    .map(([retries, own]) => ({ retries, spans: spansOf(task, retries, own) }));
}

function spansOf(
  task: StoredRun["task"],
  retries: number,
  attempts: readonly Attempt[],
): readonly Span[] {
  const begun = Math.min(...attempts.map(({ startedAt }) => startedAt));
  const endedAt = Math.max(...attempts.map((each) => each.endedAt ?? each.startedAt));
  // The time of a retry is stored of the newest one only.
  const startedAt = retries === 0 ? Math.min(task.createdAt, begun) : begun;
  const root: Span = {
    spanId: spanIdOf(task.id, PLACES.task(retries)),
    parentId: submitterSpanOf(task),
    name: "muster.task",
    startedAt,
    endedAt,
    failed: attempts.slice(-1).some(isFailedAttempt),
    attributes: {
      "muster.task.id": task.id,
      "muster.task.kind": task.kind,
      "muster.task.retries": retries,
    },
  };
  const round = { ...task, retries, retriedAt: startedAt, endedAt };
  // Before an attempt that was not the first one, others may have been forgotten.
  const isFirstKnown = retries === 0 && attempts[0]?.fence === 1;
  const [wait, ...others] = queueSpans(round, attempts);
  return [root, ...(isFirstKnown && wait !== undefined ? [wait] : []), ...others];
}
