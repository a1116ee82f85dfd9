import { toRfc3339 } from "../../base/clock.ts";
import { ok } from "../../base/result.ts";
import type { FailuresView } from "../../protocol/http.ts";
import { groupFailures, type FailureGroup } from "../../tasks/failure-groups.ts";
import type { Handler } from "../kernel/handler.ts";
import { ownersOf } from "./selection.ts";

/** Groups that an answer shows. */
const GROUPS_SHOWN = 100;

/** The newest failed and expired tasks, grouped by kind and reason. */
export const listFailures: Handler<"list_failures"> = (
  { registry },
  { state, kind, owner, ended_after, ended_before, visibleTo },
) => {
  const { failures, complete } = registry.taskSelection.failures({
    states: state === undefined ? ["failed", "expired"] : [state],
    kind,
    endedAfter: ended_after === undefined ? undefined : Date.parse(ended_after),
    endedBefore: ended_before === undefined ? undefined : Date.parse(ended_before),
    owners: ownersOf(owner, visibleTo),
  });
  const groups = groupFailures(failures);
  return ok({
    groups: groups.slice(0, GROUPS_SHOWN).map(groupView),
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
