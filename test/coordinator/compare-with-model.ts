import { expect } from "vitest";
import type { Effect } from "../../src/coordinator/kernel/effects.ts";
import { present } from "../must.ts";
import type { TestMesh } from "./mesh.ts";
import type { Model, ModelPeer } from "./model.ts";
import {
  compareQueueOrder,
  isHeld,
  mayBeAtWork,
  retryPauseBounds,
  storedAttempts,
  triedBy,
  type ModelTask,
} from "./model-task.ts";

type Offers = ReadonlyMap<ModelTask, ModelPeer>;

/** Checks that the coordinator's offers and other effects are permitted, and applies the offers to the model. */
export function applyCheckedEffects(
  mesh: TestMesh,
  model: Model,
  effects: readonly Effect[],
  dispatches: boolean,
): Offers {
  applyRetryPauses(mesh, model);
  const offers = new Map<ModelTask, ModelPeer>();
  for (const effect of effects) if (effect.type === "cancel") applyUnansweredRecall(model, effect);
  const waiting = model.queuedInOrder();
  for (const effect of effects) {
    if (effect.type === "recall") expectRecall(model, effect);
    if (effect.type !== "offer") continue;
    const task = present(model.tasks.get(effect.offer.task_id));
    const peer = present(model.peers.get(effect.to.peerId));
    failIf(!waiting.includes(task) || offers.has(task), "a task was offered that was not queued");
    failIf(
      !model.isEligible(task, peer) || !model.canHoldAnother(peer),
      "a task was offered to a peer that is not eligible or has no room",
    );
    model.recordOffer(task, peer);
    const { fence, attempt } = effect.offer;
    expectSame(
      { fence, attempt },
      { fence: task.fence, attempt: task.tries + task.interruptions + 1 },
    );
    expectSame(effect.to.epoch, peer.epoch);
    offers.set(task, peer);
  }
  const passedOver = waiting.filter((task) => !offers.has(task));
  expectQueueOrder(mesh, model, offers, passedOver);
  expectBestPeers(mesh, model, offers);
  if (dispatches) {
    expectNoAssignableTaskQueued(mesh, model, passedOver);
    expectMovableTasksRecalled(mesh, model);
  }
  expectOtherEffects(model, effects);
  return offers;
}

/** AS17: only a task that waits for a slot is asked back, from its holder. */
function expectRecall(model: Model, effect: Extract<Effect, { type: "recall" }>): void {
  const task = present(model.tasks.get(effect.taskId));
  failIf(!model.canRecall(task), "a task was asked back that did not wait for a slot");
  expect([effect.fence, effect.to.peerId]).toEqual([task.fence, task.holder]);
}

/** AS122: a task is taken from a peer that was asked for it, while it waits for a slot there. */
function applyUnansweredRecall(model: Model, effect: Extract<Effect, { type: "cancel" }>): void {
  if (!effect.reason.startsWith("refused: it was asked back")) return;
  const task = present(model.tasks.get(effect.taskId));
  failIf(!model.canRecall(task), "a task was taken from a peer that does not wait for a slot");
  model.losesRecalled(task);
}

/** Copies the timeouts that count or not by the time for which the peer had the task. */
function applyUnsureFailures(mesh: TestMesh, model: Model): void {
  for (const peer of model.peers.values()) {
    const stored = mesh.registry.peers.get(peer.id);
    if (stored === null || peer.unsureFailures === 0) continue;
    const counted = stored.failures - peer.failures;
    failIf(counted < 0 || counted > peer.unsureFailures, "a timeout was counted wrongly");
    Object.assign(peer, { failures: stored.failures, unsureFailures: 0 });
  }
}

/** Copies the random pauses after failed attempts from the coordinator, and checks their bounds. */
function applyRetryPauses(mesh: TestMesh, model: Model): void {
  for (const task of model.tasks.values()) {
    if (!Number.isNaN(task.notBefore)) continue;
    task.notBefore = present(mesh.registry.tasks.get(task.id)).notBefore;
    const [least, most] = retryPauseBounds(task.pausedAfter);
    expect(task.notBefore - model.now).toBeGreaterThanOrEqual(least);
    expect(task.notBefore - model.now).toBeLessThanOrEqual(most);
  }
}

/**
 * Whether the coordinator may leave the task queued although this peer is eligible and has room: it failed at the task, and
 * another may take it (BR7), its circuit is not closed or it is probed (BR5), or a
 * peer that lost the task may return (AS63). Properties of their own check these rules.
 */
const mayPassOver = ({ registry }: TestMesh, task: ModelTask, { id }: ModelPeer): boolean =>
  triedBy(task).has(id) ||
  task.attempts.some(mayBeAtWork) ||
  registry.circuits.ofPeer(id).length > 0 ||
  (registry.circuits.known(id, task.kind)?.failuresInRow ?? 0) > 0;

/** AS5, AS18: tasks are offered in queue order; a task is only passed over by peers that are not eligible for it. */
function expectQueueOrder(
  mesh: TestMesh,
  model: Model,
  offers: Offers,
  passedOver: readonly ModelTask[],
): void {
  const tasks = [...offers.keys()];
  const sorted = tasks.toSorted(compareQueueOrder);
  if (tasks.some((task, i) => task !== sorted[i])) expect(tasks).toEqual(sorted);
  for (const [later, peer] of offers)
    for (const earlier of passedOver)
      failIf(
        compareQueueOrder(earlier, later) < 0 &&
          model.isEligible(earlier, peer) &&
          !mayPassOver(mesh, earlier, peer),
        "a task was passed over although the peer was eligible",
      );
}

/** AS3: no eligible peer that still has room is better than the chosen one. */
function expectBestPeers(mesh: TestMesh, model: Model, offers: Offers): void {
  if (offers.size === 0) return;
  const scores = new Map(mesh.registry.peers.connected().map(({ id, score }) => [id, score]));
  const score = ({ id }: ModelPeer) => present(scores.get(id));
  for (const [task, chosen] of offers) {
    for (const other of model.peers.values()) {
      if (!model.isEligible(task, other) || !model.canHoldAnother(other)) continue;
      if (mayPassOver(mesh, task, other)) continue;
      failIf(
        task.prefetched && model.hasFreeSlot(other),
        "a task was prefetched although another peer had a free slot",
      );
      if (!task.prefetched && !model.hasFreeSlot(other)) continue;
      const tried = triedBy(task);
      const fresher = Number(tried.has(chosen.id)) - Number(tried.has(other.id));
      failIf(
        fresher > 0 || (fresher === 0 && score(other) > score(chosen)),
        "a better peer had a free slot",
      );
    }
  }
}

/** AS5: no peer with room is eligible for a queued task. */
function expectNoAssignableTaskQueued(
  mesh: TestMesh,
  model: Model,
  passedOver: readonly ModelTask[],
): void {
  for (const task of passedOver)
    for (const peer of model.peers.values())
      failIf(
        model.isEligible(task, peer) &&
          model.canHoldAnother(peer) &&
          !mayPassOver(mesh, task, peer),
        "a task stayed queued although an eligible peer had room",
      );
}

/** AS17: while a peer with a free slot is eligible for a prefetched task, some task is on its way back. */
function expectMovableTasksRecalled(mesh: TestMesh, model: Model): void {
  if (mesh.registry.tasks.recalls.size > 0) return;
  for (const task of [...model.tasks.values()].filter((each) => model.canRecall(each)))
    for (const peer of model.peers.values())
      failIf(
        model.isEligible(task, peer) && model.hasFreeSlot(peer) && !mayPassOver(mesh, task, peer),
        "a prefetched task was not asked back although an eligible peer had a free slot",
      );
}

/** Compares JSON first, because an assertion is much slower and there are millions of comparisons. */
function expectSame<T>(actual: T, expected: T): void {
  if (JSON.stringify(actual) !== JSON.stringify(expected)) expect(actual).toEqual(expected);
}

function failIf(violated: boolean, violation: string): void {
  if (violated) throw new Error(violation);
}

function expectOtherEffects(model: Model, effects: readonly Effect[]): void {
  const actual: Model["expected"] = { sessionsEnded: [], cancelled: [], tasksEnded: [] };
  for (const effect of effects) {
    if (effect.type === "end_session") {
      const { to, fault } = effect;
      actual.sessionsEnded.push(`${to.peerId} ${to.epoch} ${fault.code}`);
    } else if (effect.type === "cancel") {
      actual.cancelled.push(`${effect.taskId} ${effect.fence} ${effect.to.peerId}`);
    } else if (effect.type === "task_ended") actual.tasksEnded.push(effect.taskId);
  }
  for (const what of ["sessionsEnded", "cancelled", "tasksEnded"] as const)
    expectSame(actual[what].toSorted(), model.expected[what].toSorted());
  model.expected = { sessionsEnded: [], cancelled: [], tasksEnded: [] };
}

/** The database must equal the model; `blobsStored` is the number of blobs that were ever stored. */
export function expectEqualState(mesh: TestMesh, model: Model, blobsStored: number): void {
  mesh.nextTick(); // throws if the alarm would ring too late
  applyUnsureFailures(mesh, model);
  expectSame(databaseState(mesh), modelState(model, blobsStored));
}

function databaseState({ rows, registry }: TestMesh) {
  // Counters of peers are written a little later than the rest.
  registry.measurements.flush();
  const lines = (query: string) => rows(query).map((row) => Object.values(row).join(" "));
  return {
    peers: lines(
      "SELECT id, state, epoch, role, may_assign, successes, failures FROM peers ORDER BY id",
    ),
    tasks: lines(
      "SELECT id, state, fence, last_fence, retries, tries, interruptions, peer_id, lease_until, prefetched, ended_at, result FROM tasks ORDER BY seq",
    ),
    pauses: lines("SELECT id, not_before FROM tasks WHERE state = 'queued' ORDER BY seq"),
    attempts: lines("SELECT task_id, COUNT(*) FROM attempts GROUP BY task_id"),
    openAttempts: lines(
      "SELECT task_id, fence, peer_id FROM attempts WHERE ended_at IS NULL ORDER BY task_id",
    ),
    wonAttempts: lines(
      "SELECT task_id, fence FROM attempts WHERE state = 'succeeded' ORDER BY task_id",
    ),
    held: lines("SELECT id, held FROM peers ORDER BY id"),
    leases: lines(
      `SELECT id, (SELECT COUNT(*) FROM tasks WHERE lease_until IS NOT NULL AND peer_id = peers.id) FROM peers ORDER BY id`,
    ),
    leasedToDisconnectedPeers: lines(
      `SELECT tasks.id FROM tasks LEFT JOIN peers ON peers.id = tasks.peer_id AND peers.state IN ('active', 'suspect')
       WHERE lease_until IS NOT NULL AND peers.id IS NULL`,
    ),
    pointersOfDisconnectedPeers: lines(
      `SELECT peer_id FROM pointers LEFT JOIN peers ON peers.id = peer_id AND peers.state IN ('active', 'suspect')
       WHERE peers.id IS NULL AND pointers.state <> 'removed'`,
    ),
    // A blob without a pointer and without a queued deletion would never be deleted.
    blobs: lines(
      `SELECT (SELECT COUNT(*) FROM pointers WHERE state <> 'removed') + (SELECT COUNT(*) FROM outbox WHERE kind = 'delete_blob')`,
    ),
    scoresOutOfBounds: lines("SELECT id FROM peers WHERE score < 0 OR score > 1"),
  };
}

function modelState(model: Model, blobsStored: number): ReturnType<typeof databaseState> {
  const peers = [...model.peers.values()]
    .filter(({ hasRecord }) => hasRecord)
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const tasks = [...model.tasks.values()];
  const byId = tasks.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const held = peers.map(({ id }) => `${id} ${model.heldBy(id).length}`);
  return {
    peers: peers.map(({ id, state, epoch, role, mayAssign, successes, failures }) =>
      [id, state, epoch, role, Number(mayAssign), successes, failures].join(" "),
    ),
    tasks: tasks.map(
      ({ id, state, fence, lastFence, retries, tries, interruptions, holder, ...rest }) =>
        [id, state, fence, lastFence, retries, tries, interruptions, holder, rest.leaseUntil]
          .concat(Number(rest.prefetched), rest.endedAt, JSON.stringify(rest.result))
          .join(" "),
    ),
    pauses: tasks
      .filter(({ state }) => state === "queued")
      .map(({ id, notBefore }) => `${id} ${notBefore}`),
    attempts: byId
      .filter(({ attempts }) => attempts.length > 0)
      .map((task) => `${task.id} ${storedAttempts(task)}`),
    openAttempts: byId.filter(isHeld).map(({ id, fence, holder }) => `${id} ${fence} ${holder}`),
    wonAttempts: byId
      .filter(({ state }) => state === "succeeded")
      .map(({ id, fence }) => `${id} ${fence}`),
    held,
    leases: held,
    leasedToDisconnectedPeers: [],
    pointersOfDisconnectedPeers: [],
    blobs: [`${blobsStored}`],
    scoresOutOfBounds: [],
  };
}
