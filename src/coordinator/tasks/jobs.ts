import { MINUTE, type Millis } from "../../base/clock.ts";
import {
  CHOICE_RETENTION,
  RESULT_UPLOAD_TIMEOUT,
  TASK_RETENTION,
} from "../../protocol/constants.ts";
import type { Task } from "../../tasks/task.ts";
import type { Context } from "../kernel/context.ts";
import { dueAfter, type Job } from "../kernel/job.ts";
import { suspectPeer } from "../peers/lifecycle.ts";
import { cancelAttempt, endTask, releaseAttempt } from "./leases.ts";
import { deleteExpiredUploads } from "./results.ts";

/**
 * Interval at which queued tasks are considered again, for changes that no event reports (such as the end of a
 * refusal's pause).
 */
const QUEUE_SWEEP_INTERVAL: Millis = MINUTE;

/** Ends tasks whose deadline has passed, and attempts whose lease or offer has run out. */
const expireTasks: Job = {
  name: "expire_tasks",
  run(context) {
    const { tasks } = context.registry;
    for (const id of tasks.pastDeadline(context.now)) expire(context, tasks.get(id) as Task);
    for (const id of tasks.leasesOver(context.now)) giveUp(context, tasks.get(id) as Task);
  },
  due: { reads: ["tasks"], at: ({ registry, now }) => registry.tasks.nextDue(now) },
};

function expire(context: Context, task: Task): void {
  cancelAttempt(context, task, "the deadline passed");
  endTask(
    context,
    { ...task, error: task.error ?? "the deadline passed before the task was done" },
    "expired",
  );
}

/** Releases an attempt whose time is over. A peer that did not even react to the offer becomes suspect. */
function giveUp(context: Context, task: Task): void {
  const accepted = task.state === "running";
  releaseAttempt(context, task, {
    state: accepted ? "lost" : "refused",
    error: accepted
      ? "the lease ended without a sign of life"
      : "the offer was not accepted in time",
    outcome: "timeout",
    counts: accepted,
    retry: true,
    stopPeer: true,
  });
  const peer = accepted ? null : context.registry.peers.get(task.peerId ?? "");
  if (peer !== null) suspectPeer(context, peer);
}

/** Makes the tick, which assigns queued tasks, come again while any task is queued. */
const sweepQueue: Job = {
  name: "sweep_queue",
  run() {},
  due: {
    reads: ["tasks"],
    at: ({ registry, now }) =>
      registry.tasks.waiting.length > 0 ? now + QUEUE_SWEEP_INTERVAL : null,
  },
};

const pruneTasks: Job = {
  name: "prune_tasks",
  run({ registry, now }) {
    for (const id of registry.tasks.prune(now - TASK_RETENTION)) {
      registry.taskResults.kept.forget(id);
      registry.callbacks.kept.forget(id);
    }
    registry.idempotency.prune(now);
    registry.choices.prune(now - CHOICE_RETENTION);
    for (const kind of registry.kinds.prune(now - TASK_RETENTION))
      registry.serviceTimes.forgetKind(kind);
  },
};

const pruneUploads: Job = {
  name: "prune_uploads",
  run: deleteExpiredUploads,
  due: {
    reads: ["resultUploads"],
    at: ({ registry }) => dueAfter(registry.resultUploads.oldest(), RESULT_UPLOAD_TIMEOUT),
  },
};

export const taskJobs: readonly Job[] = [expireTasks, sweepQueue, pruneTasks, pruneUploads];
