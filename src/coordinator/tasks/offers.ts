import { attemptSecret, type AttemptRef } from "../../access/result-secrets.ts";
import { resultSecretText } from "../../crypto/result-tickets.ts";
import type { Peer } from "../../peers/peer.ts";
import { offerEndsAt } from "../../tasks/lease.ts";
import { hasSlot } from "../../tasks/eligibility.ts";
import type { Task } from "../../tasks/task.ts";
import type { Context } from "../kernel/context.ts";
import { countOffer } from "../metrics/task-counts.ts";
import { sessionOf } from "../peers/scored-peers.ts";
import { traceBelow } from "../tracing/sampling.ts";
import { PLACES } from "../tracing/span.ts";

/** Number of newest offers of which a task's history keeps those that were never begun, so that it stays bounded. */
const UNBEGUN_KEPT = 200;

/** Leases a task to a peer under the next fence, and offers it. Returns the peer with its new number of held tasks. */
export function offer(context: Context, task: Task, peer: Peer): Peer {
  const { registry, now, effects } = context;
  const fence = task.lastFence + 1;
  registry.tasks.update({
    ...task,
    state: "leased",
    fence,
    lastFence: fence,
    peerId: peer.id,
    leaseUntil: offerEndsAt(now),
    prefetched: !hasSlot(peer),
    progress: null,
    message: null,
  });
  countOffer(context, task);
  registry.attempts.insert({
    taskId: task.id,
    fence,
    peerId: peer.id,
    peerName: peer.name,
    score: peer.score,
    state: "offered",
    startedAt: now,
    begunAt: null,
    endedAt: null,
    error: null,
    retries: task.retries,
    refusals: 0,
  });
  registry.attempts.forgetUnbegun(task.id, fence - UNBEGUN_KEPT);
  const to = sessionOf(peer);
  if (to !== null) {
    const { id, kind, payload, leaseMs, attemptTimeoutMs } = task;
    effects.push({
      type: "offer",
      to,
      offer: {
        task_id: id,
        fence,
        kind,
        payload,
        // Lost attempts are attempts to a handler: they may have had effects.
        attempt: task.attemptsUsed + task.interruptions + 1,
        lease_seconds: leaseMs / 1_000,
        attempt_timeout_seconds: attemptTimeoutMs / 1_000,
        ...traceBelow(context.config, task, PLACES.attempt(fence)),
        ...(peer.speaksMuster && resultDelivery(context, { taskId: id, fence, peerId: peer.id })),
      },
    });
  }
  // The peer's score stays the one by which it was chosen, because nothing was observed.
  const holder = { ...peer, held: peer.held + 1 };
  registry.peers.measured(holder);
  return holder;
}

/**
 * How the peer may return the result: a large one by HTTP, with this secret, and sealed where the caller asked for it.
 */
function resultDelivery({ registry, config }: Context, attempt: AttemptRef) {
  const { sealTo } = registry.taskResults.get(attempt.taskId);
  return {
    upload: resultSecretText(attemptSecret(config.credentialKey, attempt)),
    ...(sealTo !== null && { seal_to: sealTo }),
  };
}
