import { MINUTE } from "../base/clock.ts";
import type { Peer } from "../peers/peer.ts";
import { ACCEPT_TIMEOUT } from "../protocol/constants.ts";
import { choose } from "../tasks/assignment.ts";
import type { Candidate, Demand } from "../tasks/eligibility.ts";
import type { WaitingTask } from "../registry/tasks.ts";
import type { Attempt, Task } from "../tasks/task.ts";
import type { Context } from "./context.ts";
import { savePeer, sessionOf } from "./peers.ts";

/** Tasks looked at in one go. More may wait behind tasks that nobody can do; the sweep comes round to them. */
const LOOK_AT_ONCE = 1_000;
/** A peer that refused a task is not asked again for this long. */
const REFUSAL_PAUSE = MINUTE;

/**
 * Offers waiting tasks to the peers that may have them, by priority, then age. Called whenever a task arrives or a
 * peer can take more: nothing waits for a timer while somebody could do it.
 */
export function dispatch(context: Context): void {
  const { registry, now, random } = context;
  const waiting = registry.tasks.waiting(now, LOOK_AT_ONCE);
  if (waiting.length === 0) return;
  const peers = new Map(registry.peers.connected().map((peer) => [peer.id, peer]));
  let room = [...peers.values()].filter((peer) => peer.held < peer.slots);
  for (const task of waiting) {
    if (room.length === 0) return;
    const { peer: chosen } = choose(demand(context, task), room.map(candidate), now, random);
    if (chosen === null) continue;
    const peer = offer(
      context,
      registry.tasks.get(task.id) as Task,
      peers.get(chosen.peerId) as Peer,
    );
    peers.set(peer.id, peer);
    room = room
      .map((other) => (other.id === peer.id ? peer : other))
      .filter((other) => other.held < other.slots);
  }
}

function offer(context: Context, task: Task, peer: Peer): Peer {
  const { registry, now, effects } = context;
  const fence = task.fence + 1;
  registry.tasks.update({
    ...task,
    state: "leased",
    fence,
    peerId: peer.id,
    leaseUntil: now + ACCEPT_TIMEOUT,
    progress: null,
  });
  registry.attempts.insert({
    taskId: task.id,
    fence,
    peerId: peer.id,
    peerName: peer.name,
    score: peer.score,
    state: "offered",
    startedAt: now,
    endedAt: null,
    error: null,
  });
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
      },
    });
  }
  return savePeer(context, { ...peer, held: peer.held + 1 });
}

function demand({ registry, now }: Context, task: WaitingTask): Demand {
  const attempts: readonly Attempt[] = task.fence === 0 ? [] : registry.attempts.of(task.id);
  return {
    kind: task.kind,
    requirements: task.requirements,
    tried: peersOf(attempts, (attempt) => attempt.state === "failed" || attempt.state === "lost"),
    refused: peersOf(
      attempts,
      (attempt) => attempt.state === "refused" && now - attempt.startedAt < REFUSAL_PAUSE,
    ),
  };
}

const peersOf = (attempts: readonly Attempt[], which: (attempt: Attempt) => boolean) =>
  new Set(attempts.filter(which).map((attempt) => attempt.peerId));

const candidate = (peer: Peer): Candidate => ({
  peerId: peer.id,
  role: peer.role,
  active: peer.state === "active",
  speaksMuster: peer.speaksMuster,
  capabilities: peer.capabilities,
  slots: peer.slots,
  held: peer.held,
  score: peer.score,
});
