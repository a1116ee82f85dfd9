import { MINUTE, type Millis } from "../../base/clock.ts";
import { RESULT_UPLOAD_TIMEOUT, RETURN_GRACE } from "../../protocol/constants.ts";
import type { Task } from "../../tasks/task.ts";
import type { Context } from "../kernel/context.ts";
import { dueAfter, type Job } from "../kernel/job.ts";
import { suspectPeer } from "../peers/lifecycle.ts";
import { cancelAttempt, endTask, releaseAttempt, type Loss } from "./leases.ts";
import { shareOf } from "./time-held.ts";
import { endOwners } from "./end-owner.ts";
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
  cancelAttempt(context, task, "the deadline passed", "deadline");
  endTask(
    context,
    { ...task, error: task.error ?? "the deadline passed before the task was done" },
    "expired",
  );
}

/**
 * Releases an attempt whose time is over. Only an attempt that took too long is stopped: the peer of any other may return,
 * and its work counts while no other peer has begun the task. A peer that did not even react to the offer becomes suspect.
 */
function giveUp(context: Context, task: Task): void {
  if (task.state === "running") {
    releaseAttempt(context, task, lossOf(context, task));
    return;
  }
  releaseAttempt(context, task, {
    state: "unanswered",
    error: "the offer was not accepted in time",
    outcome: "timeout",
    counts: null,
    retry: true,
  });
  const silent = context.registry.peers.get(task.peerId ?? "");
  if (silent !== null) suspectPeer(context, silent);
}

/** How a running attempt ended whose lease is over: the handler took too long, was silent, or its peer was. */
function lossOf(context: Context, task: Task): Loss {
  const { registry, now } = context;
  const shared = { outcome: "timeout", retry: true } as const;
  if (task.attemptUntil !== null && now >= task.attemptUntil) {
    const error = `the attempt took longer than ${task.attemptTimeoutMs / 1_000} s`;
    const share = shareOf(context, task);
    return { ...shared, state: "timed_out", error, counts: "attempt", stopPeer: true, share };
  }
  const error = "the lease ended without a sign of life";
  const answers = registry.peers.get(task.peerId ?? "")?.state === "active";
  return answers
    ? { ...shared, state: "timed_out", error, counts: "attempt" }
    : { ...shared, state: "lost", error, counts: "interruption" };
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

/** The same when the time is over in which a peer that has just connected gets no task that another has lost (AS63). */
const wakeReturned: Job = {
  name: "wake_returned",
  run() {},
  due: {
    reads: ["peers", "tasks"],
    at({ registry, now }) {
      const due = registry.roster.newestActive + RETURN_GRACE;
      return registry.tasks.waiting.length > 0 && due > now ? due : null;
    },
  },
};

/** Makes the tick, which assigns queued tasks, come when a peer has rested: then it can be probed. */
const wakeResting: Job = {
  name: "wake_resting",
  run() {},
  due: { reads: ["circuits"], at: ({ registry, now }) => registry.circuits.resting.nextEnd(now) },
};

/** A peer that has not answered a recall is asked again, or loses the task. */
const repeatRecalls: Job = {
  name: "repeat_recalls",
  run: ({ registry, now }) => registry.tasks.recalls.forgetUnanswered(now),
  due: {
    reads: ["tasks"],
    at: ({ registry }) => registry.tasks.recalls.overdueAt,
  },
};

/** Makes the tick come when the rate of a kind permits the next offer. */
const permitByRate: Job = {
  name: "permit_by_rate",
  run() {},
  due: { reads: ["tasks", "kindSettings"], at: nextPermission },
};

function nextPermission({ registry, now }: Pick<Context, "registry" | "now">): Millis | null {
  const { kindSettings, tasks } = registry;
  let next: Millis | null = null;
  for (const [kind, { rate }] of kindSettings.list()) {
    if (rate === null || !tasks.waiting.queuedKinds().has(kind)) continue;
    const at = kindSettings.permittedAt(kind, now);
    if (at > now && (next === null || at < next)) next = at;
  }
  return next;
}

const pruneUploads: Job = {
  name: "prune_uploads",
  run: deleteExpiredUploads,
  due: {
    reads: ["resultUploads"],
    at: ({ registry }) => dueAfter(registry.resultUploads.oldest(), RESULT_UPLOAD_TIMEOUT),
  },
};

export const taskJobs: readonly Job[] = [
  expireTasks,
  endOwners,
  sweepQueue,
  wakeResting,
  wakeReturned,
  repeatRecalls,
  permitByRate,
  pruneUploads,
];
