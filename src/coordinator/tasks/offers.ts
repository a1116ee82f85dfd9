import { newUploadTicket, type AttemptRef } from "../../access/result-ticket.ts";
import type { Peer } from "../../peers/peer.ts";
import { ACCEPT_TIMEOUT } from "../../protocol/constants.ts";
import { hasSlot } from "../../tasks/eligibility.ts";
import type { Task } from "../../tasks/task.ts";
import type { Context } from "../kernel/context.ts";
import { sessionOf } from "../peers/scored-peers.ts";

/** Offers for which it is remembered that they came to nothing, so that no history grows without bound. */
const RECLAIMED_KEPT = 200;

/** Leases a task to a peer under the next fencing number, and has it offered; returns the peer as it is then. */
export function offer(context: Context, task: Task, peer: Peer): Peer {
  const { registry, now, effects } = context;
  const fence = task.fence + 1;
  registry.tasks.update({
    ...task,
    state: "leased",
    fence,
    peerId: peer.id,
    leaseUntil: now + ACCEPT_TIMEOUT,
    prefetched: !hasSlot(peer),
    progress: null,
    message: null,
  });
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
  });
  registry.attempts.forgetReclaimed(task.id, fence - RECLAIMED_KEPT);
  const to = sessionOf(peer);
  if (to !== null) {
    const { id, kind, payload, leaseMs } = task;
    effects.push({
      type: "offer",
      to,
      offer: {
        task_id: id,
        fence,
        kind,
        payload,
        attempt: task.tries + 1,
        lease_seconds: leaseMs / 1_000,
        ...(peer.speaksMuster && wayOfResult(context, { taskId: id, fence, peerId: peer.id })),
      },
    });
  }
  // Nothing was observed of it: its score stays what it was when it was chosen.
  const holder = { ...peer, held: peer.held + 1 };
  registry.peers.put(holder);
  return holder;
}

/** How the peer may bring the result: large ones by HTTP, under this ticket, and sealed where the caller wants that. */
function wayOfResult({ registry, config }: Context, attempt: AttemptRef) {
  const { sealTo } = registry.taskResults.get(attempt.taskId);
  return {
    upload: newUploadTicket(config.credentialKey, attempt),
    ...(sealTo !== null && { seal_to: sealTo }),
  };
}
