import type { Millis } from "../base/clock.ts";
import { retryAt } from "../tasks/lease.ts";
import type { AttemptState, Task } from "../tasks/task.ts";
import type { Context } from "./context.ts";
import { sessionOf, settle, type Outcome } from "./peers.ts";

/** How an attempt came to its end without finishing the task. */
export interface Loss {
  readonly state: Extract<AttemptState, "failed" | "refused" | "lost">;
  readonly error: string;
  readonly outcome: Outcome;
  /** Whether it counts against the attempts allowed: a refusal does not, for nothing was tried. */
  readonly counts: boolean;
  /** False when the peer says that trying again is pointless. */
  readonly retry: boolean;
  /** How much longer than otherwise the task rests. */
  readonly pause?: Millis;
}

/** Offers after which a task that nobody takes fails, so that no history grows without bound. */
const OFFERS_MAX = 200;

/** Ends the current attempt and puts the task back into the queue, or fails it when it has had its tries. */
export function releaseAttempt(context: Context, task: Task, loss: Loss): void {
  if (task.peerId === null) return;
  const { registry, now, random } = context;
  registry.attempts.end(task.id, task.fence, loss.state, now, loss.error);
  settle(context, task.peerId, loss.outcome);
  const tries = task.tries + Number(loss.counts);
  const spent = !loss.retry || tries >= task.maxAttempts || task.fence >= OFFERS_MAX;
  if (spent) {
    endTask(context, { ...task, tries, error: loss.error }, "failed");
    return;
  }
  registry.tasks.update({
    ...task,
    tries,
    state: "queued",
    peerId: null,
    leaseUntil: null,
    progress: null,
    error: loss.error,
    // Someone else may take a refused task at once; a failed one rests, lest it burn through its tries.
    notBefore: (loss.counts ? retryAt(tries, now, random) : now) + (loss.pause ?? 0),
  });
}

/** Brings a task to its end and tells whoever waits for it. The attempt's own end is the caller's to write. */
export function endTask(
  { registry, now, effects }: Context,
  task: Task,
  state: "succeeded" | "failed" | "cancelled" | "expired",
): void {
  registry.tasks.update({ ...task, state, endedAt: now, leaseUntil: null });
  effects.push({ type: "task_ended", taskId: task.id });
}

/** Takes a held task from its peer, because nobody wants its result any more, and tells the peer to stop. */
export function callOff(context: Context, task: Task, reason: string): void {
  if (task.peerId === null || task.leaseUntil === null) return;
  const { registry, now, effects } = context;
  registry.attempts.end(task.id, task.fence, "cancelled", now, reason);
  settle(context, task.peerId, "none");
  const peer = registry.peers.get(task.peerId);
  const to = peer === null ? null : sessionOf(peer);
  if (to !== null) effects.push({ type: "cancel", to, taskId: task.id, fence: task.fence, reason });
}

/** Releases everything that a peer held, because it is gone; all of it rests for `pause` before others get it. */
export function releaseAll(
  context: Context,
  peerId: string,
  error: string,
  pause: Millis = 0,
): void {
  for (const id of context.registry.tasks.heldBy(peerId)) {
    const task = context.registry.tasks.get(id) as Task;
    const begun = task.state === "running";
    releaseAttempt(context, task, {
      state: "lost",
      error,
      outcome: begun ? "failure" : "none",
      counts: begun,
      retry: true,
      pause,
    });
  }
}
