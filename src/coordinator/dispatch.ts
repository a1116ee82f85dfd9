import { MINUTE } from "../base/clock.ts";
import type { Peer } from "../peers/peer.ts";
import { ACCEPT_TIMEOUT } from "../protocol/constants.ts";
import { choose } from "../tasks/assignment.ts";
import type { Candidate, Demand } from "../tasks/eligibility.ts";
import type { WaitingTask } from "../registry/tasks.ts";
import type { Attempt, Task } from "../tasks/task.ts";
import type { Context } from "./context.ts";
import { savePeer, sessionOf } from "./peers.ts";

/** Tasks looked at first: as a rule they fill whoever has room, and the rest of a long queue need not be read. */
const LOOK_FIRST = 200;
/** As a `LIMIT`: all that wait, however many of them nobody can do. */
const ALL = -1;
/** A peer that refused a task is not asked again for this long. */
const REFUSAL_PAUSE = MINUTE;

/**
 * Offers waiting tasks to the peers that may have them, by priority, then age. Called whenever a task arrives or a
 * peer can take more: nothing waits for a timer while somebody could do it.
 */
export function dispatch(context: Context): void {
  const { registry, now, random } = context;
  let room: readonly Peer[] | null = null;
  for (const limit of [LOOK_FIRST, ALL]) {
    const waiting = registry.tasks.waiting(now, limit);
    if (waiting.length === 0) return;
    room ??= registry.peers.connected().filter(hasRoom);
    if (room.length === 0) return;
    for (const task of waiting) {
      const { peer: chosen } = choose(demand(context, task), room.map(candidate), now, random);
      const taker = room.find(({ id }) => id === chosen?.peerId);
      if (taker === undefined) continue;
      const peer = offer(context, registry.tasks.get(task.id) as Task, taker);
      room = room.map((other) => (other.id === peer.id ? peer : other)).filter(hasRoom);
      if (room.length === 0) return;
    }
    if (waiting.length < LOOK_FIRST) return;
  }
}

/** Whether a peer may get anything at all just now. */
const hasRoom = ({ state, role, held, slots }: Peer): boolean =>
  state === "active" && role !== "controller" && held < slots;

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
      ({ state, startedAt, endedAt }) =>
        state === "refused" && now - (endedAt ?? startedAt) < REFUSAL_PAUSE,
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
