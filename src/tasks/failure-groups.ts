import type { Millis } from "../base/clock.ts";
import { FAILURE_ITEMS_SHOWN } from "../protocol/task-limits.ts";
import type { PeerId } from "../protocol/ids.ts";
import { failureReason } from "./failure-reason.ts";
import type { Task } from "./task.ts";

/** What is known of a task that failed or expired. */
export interface Failure extends Pick<Task, "id" | "kind" | "peerId" | "error"> {
  readonly state: "failed" | "expired";
  readonly endedAt: Millis;
}

/** Tasks of one kind that failed, or expired, for the same reason. */
export interface FailureGroup extends Pick<Failure, "kind" | "state"> {
  readonly reason: string;
  readonly count: number;
  readonly firstAt: Millis;
  readonly lastAt: Millis;
  /** The error of the newest task. */
  readonly error: string | null;
  /** The newest tasks, the newest first. */
  readonly taskIds: readonly string[];
  /** When each of these ended. */
  readonly taskTimes: readonly Millis[];
  /** The peers that ended most of the tasks, and how many each. */
  readonly peers: readonly { readonly peerId: PeerId; readonly count: number }[];
  readonly peerCount: number;
}

/** Groups failures, which are given newest first, by kind, state and reason. The largest group comes first. */
export function groupFailures(failures: Iterable<Failure>): readonly FailureGroup[] {
  const groups = new Map<string, Failure[]>();
  // Many tasks have the same error, and finding a reason is the most work here.
  const reasons = new Map<string, string>();
  for (const failure of failures) {
    const error = failure.error ?? "";
    const reason = reasons.get(error) ?? failureReason(error);
    reasons.set(error, reason);
    const key = JSON.stringify([failure.kind, failure.state, reason]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [failure]);
    else group.push(failure);
  }
  return [...groups.values()]
    .map(groupOf)
    .toSorted((a, b) => b.count - a.count || b.lastAt - a.lastAt);
}

/** The group of failures that have the same kind, state and reason; there is at least one. */
function groupOf(failures: readonly Failure[]): FailureGroup {
  const newest = failures[0] as Failure;
  const oldest = failures.at(-1) as Failure;
  const peers = new Map<PeerId, number>();
  for (const { peerId } of failures)
    if (peerId !== null) peers.set(peerId, (peers.get(peerId) ?? 0) + 1);
  return {
    kind: newest.kind,
    state: newest.state,
    reason: failureReason(newest.error ?? ""),
    count: failures.length,
    firstAt: oldest.endedAt,
    lastAt: newest.endedAt,
    error: newest.error,
    taskIds: failures.slice(0, FAILURE_ITEMS_SHOWN).map(({ id }) => id),
    taskTimes: failures.slice(0, FAILURE_ITEMS_SHOWN).map(({ endedAt }) => endedAt),
    peers: [...peers]
      .map(([peerId, count]) => ({ peerId, count }))
      .toSorted((a, b) => b.count - a.count)
      .slice(0, FAILURE_ITEMS_SHOWN),
    peerCount: peers.size,
  };
}
