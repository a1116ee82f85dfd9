import { toRfc3339 } from "../../base/clock.ts";
import { ok } from "../../base/result.ts";
import type { FailuresView } from "../../protocol/http.ts";
import { FAILURE_GROUPS_SHOWN } from "../../protocol/task-limits.ts";
import { groupFailures, type FailureGroup } from "../../tasks/failure-groups.ts";
import type { Handler } from "../kernel/handler.ts";
import { ownersOf } from "./selection.ts";

/** The newest failed and expired tasks, grouped by kind and reason. */
export const listFailures: Handler<"list_failures"> = (
  { registry },
  { state, kind, owner, ended_after, ended_before, visibleTo, withTimes = false },
) => {
  const { failures, complete } = registry.taskSelection.failures({
    states: state === undefined ? ["failed", "expired"] : [state],
    kind,
    endedAfter: ended_after === undefined ? undefined : Date.parse(ended_after),
    endedBefore: ended_before === undefined ? undefined : Date.parse(ended_before),
    owners: ownersOf(owner, visibleTo),
  });
  const groups = groupFailures(failures);
  const shown = groups.slice(0, FAILURE_GROUPS_SHOWN);
  return ok({
    ...(withTimes && { times: shown.map(({ taskTimes }) => taskTimes) }),
    groups: shown.map(groupView),
    count: failures.length,
    group_count: groups.length,
    complete,
  });
};

const groupView = (group: FailureGroup): FailuresView["groups"][number] => ({
  kind: group.kind,
  state: group.state,
  reason: group.reason,
  count: group.count,
  first_at: toRfc3339(group.firstAt),
  last_at: toRfc3339(group.lastAt),
  error: group.error,
  task_ids: [...group.taskIds],
  peers: group.peers.map(({ peerId, count }) => ({ peer_id: peerId, count })),
  peer_count: group.peerCount,
});
