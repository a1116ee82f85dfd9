import { toRfc3339 } from "../../base/clock.ts";
import { ok } from "../../base/result.ts";
import { cellOfTask } from "../../cells/task-cell.ts";
import type { WhyView } from "../../protocol/http.ts";
import { ranking, type Contender } from "../../tasks/assignment.ts";
import { costScore, recompute, type StoredChoice } from "../../tasks/stored-choice.ts";
import type { Task } from "../../tasks/task.ts";
import type { Context } from "../kernel/context.ts";
import { decide, storedOf } from "./decision.ts";
import { notFound, type Handler } from "../kernel/handler.ts";
import { visibleTask } from "./submit.ts";
import { limitReason } from "./running-limits.ts";
import { waitingReason } from "./waiting-reason.ts";

/**
 * Explains why a task went to its peer, from the stored choice. For a queued task it explains the choice that would be
 * made now.
 */
export const whyTask: Handler<"why_task"> = (context, { id, attempt, visibleTo }) => {
  const task = visibleTask(context, id, visibleTo);
  if (task === null) return notFound("task with this ID");
  const cells = cellsOf(context, task);
  if (attempt === undefined && task.state === "queued")
    return ok({ ...queuedView(context, task), ...cells });
  const stored = context.registry.choices.get(id, attempt ?? null);
  return stored === null
    ? notFound("stored choice for this task; choices are kept for 7 days")
    : ok({ ...whyView(task.id, stored.fence, stored.choice), ...cells });
};

/** In a mesh of several cells: the one that has the task, and those that were compared for it: when it was submitted, and when it moved. */
function cellsOf(
  { registry: { cells } }: Context,
  { id, considered = [] }: Task,
): Pick<WhyView, "cells"> {
  if (cells.isSingle) return {};
  const all = new Set([...considered, cellOfTask(id), cells.own]);
  return { cells: { cell: cells.own, considered: [...all] } };
}

/** The choice that would be made now for a queued task. */
function queuedView(context: Context, task: Task): WhyView {
  const stored = storedOf(context, decide(context, { ...task, seq: 0, shape: task }));
  return { ...whyView(task.id, null, stored), waits_because: reasonOf(context, task, stored) };
}

/** Why a queued task waits; null when a peer could have it, so that only tasks before it in the queue can delay it. */
function reasonOf(context: Context, task: Task, stored: StoredChoice): string | null {
  const { registry, now } = context;
  if (task.notBefore > now) return `it may not be offered before ${toRfc3339(task.notBefore)}`;
  const limit = limitReason(context, task);
  if (limit !== null) return limit;
  if (stored.chosen !== null) return null;
  return waitingReason(registry, task.kind, stored.ruledOut);
}

function whyView(taskId: string, attempt: number | null, stored: StoredChoice): WhyView {
  const again = recompute(stored);
  const { name, ...constants } = stored.policy;
  return {
    task_id: taskId,
    attempt,
    at: toRfc3339(stored.at),
    policy: name,
    chosen: stored.chosen,
    by: stored.by,
    waits_because: null,
    reproduced: (again.peer?.peerId ?? null) === stored.chosen && again.by === stored.by,
    eligible: stored.eligible,
    mean_cost_ms: stored.meanCostMs,
    contenders: ranking(again).map((one) => contenderView(one, stored)),
    ruled_out: stored.ruledOut,
    excluded: stored.excluded.map(({ peerId, rule }) => ({ peer_id: peerId, rule })),
    draws: { lot: stored.draws.tieBreak, venture: stored.draws.exploration },
    constants,
  };
}

function contenderView(
  { peer, cost, heldBack }: Contender,
  { chosen, meanCostMs }: StoredChoice,
): WhyView["contenders"][number] {
  const { evidence } = peer;
  const { outcomes, service } = evidence;
  return {
    peer_id: peer.peerId,
    chosen: peer.peerId === chosen,
    worth: cost === null ? peer.score : costScore(cost.totalMs, meanCostMs ?? 0),
    held_back_by: [...heldBack],
    cost:
      cost === null
        ? null
        : {
            rtt_ms: cost.rttMs,
            wait_ms: cost.waitMs,
            service_ms: cost.serviceMs,
            failure_ms: cost.failureMs,
            loss_ms: cost.lossMs,
            total_ms: cost.totalMs,
          },
    held: peer.held,
    slots: peer.slots,
    inputs: {
      score: peer.score,
      rtt_ms: evidence.rttMs,
      rtt_variance_ms: evidence.rttVarianceMs,
      successes: outcomes.successes,
      failures: outcomes.failures,
      timeouts: outcomes.timeouts,
      refusals: outcomes.refusals,
      outcomes_at: toRfc3339(outcomes.at),
      service_ms: service?.meanMs ?? null,
      service_samples: service?.weight ?? 0,
      connected_at: evidence.connectedAt === null ? null : toRfc3339(evidence.connectedAt),
      share: evidence.share,
      near_ms: evidence.nearMs,
    },
  };
}
