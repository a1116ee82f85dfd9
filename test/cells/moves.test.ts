import { describe, expect, it } from "vitest";
import { DAY } from "../../src/base/clock.ts";
import { placeOfKey } from "../../src/cells/placement.ts";
import { cellOfTask } from "../../src/cells/task-cell.ts";
import { homeOf } from "../../src/cells/topology.ts";
import type { CommandAnswer, CommandName, Output } from "../../src/contract/commands.ts";
import type { SubmitInput } from "../../src/contract/tasks.ts";
import { AllowBody, type SubmitTaskInput } from "../../src/protocol/http.ts";
import type { Announced } from "../coordinator/announced.ts";
import { submission } from "../coordinator/submission.ts";
import { must, mustFail, present } from "../must.ts";
import { CellMesh } from "./cell-mesh.ts";
import { keyAt, MeshPeer } from "./mesh-peer.ts";

const outputOf = <K extends CommandName>(answer: CommandAnswer | undefined) =>
  must(present(answer)) as Output<K>;

async function meshOf(cells: number, seed = 1): Promise<CellMesh> {
  const mesh = new CellMesh({ cells, seed });
  await mesh.call("get_auth_mode", {});
  await mesh.settle(1);
  return mesh;
}

const peerAt = (mesh: CellMesh, cell: number, announced: Announced = {}, nth = 0) =>
  new MeshPeer(mesh, keyAt(mesh, cell, nth)).join({ kinds: ["echo"], ...announced });

async function submit(
  mesh: CellMesh,
  task: SubmitTaskInput = { kind: "echo" },
  more: Partial<SubmitInput> = {},
): Promise<string> {
  return must(await mesh.call("enqueue_task", submission(task, more))).id;
}

const task = async (mesh: CellMesh, id: string): Promise<Output<"get_task">> =>
  must(await mesh.call("get_task", { id, visibleTo: null }));

/** Lets the peers work, and the cells look for room, for some seconds. */
async function run(mesh: CellMesh, peers: readonly MeshPeer[], seconds = 8): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    for (const peer of peers) await peer.work();
    mesh.now += 1_000;
    await Promise.all(mesh.cells.map((cell) => cell.tick()));
    await mesh.drain();
  }
  for (const peer of peers) await peer.work();
}

const ALLOWED = AllowBody.parse({ roles: ["dual"] });

/** An idempotency key that belongs to a cell. */
function keyOf(mesh: CellMesh, cell: number) {
  for (let n = 0; ; n++)
    if (homeOf(mesh.known, placeOfKey("s", `${n}`)) === cell) return { scope: "s", key: `${n}` };
}

const cellsWith = (mesh: CellMesh, id: string): readonly number[] =>
  mesh.cells.filter(({ registry }) => registry.tasks.get(id) !== null).map((cell) => cell.number);

describe("waiting tasks", () => {
  it("CE84 move from cells without workers to the one that has them all, and are found under their IDs", async () => {
    const mesh = await meshOf(4);
    const peer = await peerAt(mesh, 2, { slots: 4 });
    const ids: string[] = [];
    for (let n = 0; n < 24; n++) ids.push(await submit(mesh));
    expect(new Set(ids.map(cellOfTask)).size).toBeGreaterThan(2);
    await run(mesh, [peer], 12);
    for (const id of ids) {
      expect(await task(mesh, id)).toMatchObject({ id, state: "succeeded", peer_id: peer.id });
      expect(cellsWith(mesh, id)).toEqual([2]);
    }
  });

  it("CE84 move to free places when their own cell is full, and stay while it has room", async () => {
    const mesh = await meshOf(2);
    const [here, there] = [await peerAt(mesh, 0), await peerAt(mesh, 1, { slots: 4 })];
    const at0 = mesh.cellOf(0);
    const ids: string[] = [];
    for (let n = 0; n < 4; n++) {
      const [answer] = await at0.run("admin", [
        { name: "enqueue_task", input: submission({ kind: "echo" }) },
      ]);
      ids.push(outputOf<"enqueue_task">(answer).id);
    }
    expect([here.offers.length, there.offers.length]).toEqual([1, 0]);
    for (const offer of here.offers) await here.accept(offer);
    await run(mesh, [], 2);
    expect(there.offers).toHaveLength(3);
    for (const offer of there.offers) await there.accept(offer);
    // Nothing more waits: nobody asks.
    const asked = mesh.transport.calls.get("ask_room") ?? 0;
    await run(mesh, [], 5);
    expect(mesh.transport.calls.get("ask_room")).toBe(asked);
    expect(ids.filter((id) => cellsWith(mesh, id)[0] === 1)).toHaveLength(3);
  });

  it("CE84 that name a peer or have a rare label go where it is", async () => {
    const mesh = await meshOf(4);
    const rare = await peerAt(mesh, 3, { capabilities: ["gpu=a"] });
    const named = await peerAt(mesh, 1);
    const byLabel = await submit(mesh, { kind: "echo", requirements: { capabilities: ["gpu"] } });
    const keyed: string[] = [];
    for (let n = 0; n < 8; n++)
      keyed.push(
        await submit(
          mesh,
          { kind: "echo", requirements: { peer_id: named.id } },
          { idempotency: { scope: "s", key: `${n}` } },
        ),
      );
    await run(mesh, [rare, named], 12);
    expect((await task(mesh, byLabel)).peer_id).toBe(rare.id);
    for (const id of keyed) expect((await task(mesh, id)).peer_id).toBe(named.id);
  });

  it("CE85 get a greater fence, and keep attempts, callback and the key their result is sealed to", async () => {
    const mesh = await meshOf(2);
    const here = await peerAt(mesh, 0);
    const [answer] = await mesh.cellOf(0).run("admin", [
      {
        name: "enqueue_task",
        input: submission({
          kind: "echo",
          seal_to: here.key.publicKey,
          callback: { url: "https://example.com/done" },
        }),
      },
    ]);
    const { id } = outputOf<"enqueue_task">(answer);
    const offer = here.nextOffer();
    await here.send({
      name: "refuse_task",
      input: { ...here.attempt(present(offer)), reason: "no" },
    });
    const before = await task(mesh, id);
    const there = await peerAt(mesh, 1, { slots: 2 });
    await run(mesh, [], 8);
    const after = await task(mesh, id);
    expect(cellsWith(mesh, id)).toEqual([1]);
    expect(after.attempts.slice(0, before.attempts.length)).toEqual(before.attempts);
    expect(after.callback).toEqual(before.callback);
    expect(mesh.cellOf(1).registry.taskResults.get(id).sealTo).toBe(here.key.publicKey);
    expect(there.offers.at(-1)?.fence).toBeGreaterThan((offer?.fence ?? 0) + 1);
    expect(mesh.cellOf(0).registry.callbacks.get(id)).toBeNull();
    expect(mesh.cellOf(0).registry.tasks.waiting.length).toBe(0);
    expect(mesh.cellOf(0).registry.tasks.ownerBytes.openOf("admin")).toBe(0);
  });

  it("CE85 that nobody was offered begin with attempt 1, and count as assigned for the first time", async () => {
    const mesh = await meshOf(4);
    const peer = await peerAt(mesh, 2, { slots: 4 });
    const ids: string[] = [];
    for (let n = 0; n < 12; n++) ids.push(await submit(mesh));
    await run(mesh, [peer], 12);
    for (const id of ids)
      expect((await task(mesh, id)).attempts.map(({ attempt }) => attempt)).toEqual([1]);
    const { metrics } = must(await mesh.call("collect_metrics", {}));
    const delays = metrics.get("muster_task_assignment_delay_seconds") ?? [];
    const counts = delays.flatMap((sample) => ("buckets" in sample ? sample.buckets : []));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(ids.length);
  });

  it("CE86 with a concurrency key never run more often at once than it permits, wherever the workers are", async () => {
    const mesh = await meshOf(4);
    const peers = await Promise.all([1, 2].map((cell) => peerAt(mesh, cell, { slots: 4 })));
    const concurrency = { key: "k", limit: 2 };
    const ids: string[] = [];
    for (let n = 0; n < 9; n++)
      ids.push(
        await submit(
          mesh,
          { kind: "echo", concurrency },
          { idempotency: { scope: "s", key: `${n}` } },
        ),
      );
    const running = (): number =>
      mesh.cells.flatMap(({ registry }) => [...registry.tasks.running.all()]).length;
    for (let second = 0; second < 60; second++) {
      await run(mesh, [], 1);
      expect(running()).toBeLessThanOrEqual(2);
      for (const id of ids.slice(0, 1))
        expect((await task(mesh, id)).concurrency).toEqual(concurrency);
      const offers = peers.map((peer) => peer.nextOffer());
      for (const [at, offer] of offers.entries())
        if (offer !== null) {
          await peers[at]?.accept(offer);
          await peers[at]?.finish(offer);
        }
    }
    for (const id of ids) expect((await task(mesh, id)).state).toBe("succeeded");
  });

  it("CE87 move at most three times in search of room", async () => {
    const mesh = await meshOf(2);
    const id = await submit(mesh);
    const hops: number[] = [];
    for (let round = 0; round < 5; round++) {
      // Somebody in the other cell could take the task, but is busy with another one; nobody here could.
      const [holder = 0] = cellsWith(mesh, id);
      const peer = await peerAt(mesh, 1 - holder, {}, round);
      const filler = { kind: "echo", requirements: { peer_id: peer.id } };
      await submit(mesh, filler, { idempotency: { scope: "s", key: `${round}` } });
      await run(mesh, [], 2);
      const offer = peer.nextOffer();
      if (offer !== null) await peer.accept(offer);
      await run(mesh, [], 6);
      const [now = 0] = cellsWith(mesh, id);
      hops.push(mesh.cellOf(now).registry.taskArrivals.get(id)?.hops ?? 0);
      const gone = { peerId: peer.id, epoch: peer.epoch, reason: "left", silent: false };
      await peer.send({ name: "gone", input: gone });
    }
    expect(hops).toEqual([1, 2, 3, 3, 3]);
  });

  it("CE87 move on after that, but slowly, if nobody in their cell could take them", async () => {
    const mesh = await meshOf(2);
    const id = await submit(mesh);
    const [home = 0] = cellsWith(mesh, id);
    const { taskArrivals } = mesh.cellOf(home).registry;
    taskArrivals.put({ taskId: id, hops: 3, attempts: 0, at: mesh.now, permit: null });
    const peer = await peerAt(mesh, 1 - home);
    await run(mesh, [], 20);
    expect(cellsWith(mesh, id)).toEqual([home]);
    await run(mesh, [], 20);
    expect(peer.nextOffer()?.task_id).toBe(id);
  });

  it("CE87 move on if the clock was set back since they came", async () => {
    const mesh = await meshOf(2);
    const id = await submit(mesh);
    const [home = 0] = cellsWith(mesh, id);
    const at = mesh.now + 365 * DAY;
    mesh
      .cellOf(home)
      .registry.taskArrivals.put({ taskId: id, hops: 3, attempts: 0, at, permit: null });
    const peer = await peerAt(mesh, 1 - home);
    await run(mesh, [], 5);
    expect(peer.nextOffer()?.task_id).toBe(id);
  });
});

describe("a task that has moved", () => {
  /** A task that cell 0 accepted and cell 1 has, whose peer holds it. */
  async function moved(more: Partial<SubmitInput> = {}) {
    const mesh = await meshOf(2);
    const [answer] = await mesh
      .cellOf(0)
      .run("admin", [{ name: "enqueue_task", input: submission({ kind: "echo" }, more) }]);
    const { id } = outputOf<"enqueue_task">(answer);
    const peer = await peerAt(mesh, 1);
    await run(mesh, [], 3);
    expect(cellsWith(mesh, id)).toEqual([1]);
    return { mesh, id, peer };
  }

  it("CE88 is shown, explained, cancelled and retried as any other", async () => {
    const { mesh, id } = await moved();
    expect(must(await mesh.call("why_task", { id, visibleTo: null })).task_id).toBe(id);
    expect(must(await mesh.call("trace_task", { id, visibleTo: null }))).toBeDefined();
    const cancelled = must(await mesh.call("cancel_task", { id, visibleTo: null }));
    expect(cancelled.state).toBe("cancelled");
    const retried = must(await mesh.call("retry_task", { id, visibleTo: null }));
    expect(["queued", "leased"]).toContain(retried.state);
    expect(mustFail(await mesh.call("get_task", { id, visibleTo: "another" })).code).toBe(
      "not_found",
    );
  });

  it("CE88 is answered with `unavailable` while it is on its way, never as if there were none", async () => {
    const mesh = await meshOf(2);
    const [answer] = await mesh
      .cellOf(0)
      .run("admin", [{ name: "enqueue_task", input: submission({ kind: "echo" }) }]);
    const { id } = outputOf<"enqueue_task">(answer);
    await peerAt(mesh, 1);
    mesh.transport.faultOf = (_, names) =>
      names.includes("receive_messages") ? "request_lost" : "none";
    await run(mesh, [], 3);
    expect(cellsWith(mesh, id)).toEqual([]);
    const codes = [
      mustFail(await mesh.call("get_task", { id, visibleTo: null })).code,
      mustFail(await mesh.call("cancel_task", { id, visibleTo: null })).code,
    ];
    expect(codes).toEqual(["unavailable", "unavailable"]);
    mesh.transport.faultOf = () => "none";
    await mesh.settle(4);
    expect((await task(mesh, id)).id).toBe(id);
  });

  it("CE89 is the answer to its repeated key, for one task and in a batch, and a different request is refused", async () => {
    const idempotency = keyOf(await meshOf(2), 0);
    const { mesh, id } = await moved({ idempotency });
    const again = submission({ kind: "echo" }, { idempotency });
    const at0 = (name: "submit_task" | "enqueue_task", input = again) =>
      mesh.cellOf(0).node.run("admin", [{ name, input }]);
    const [shown] = await at0("submit_task");
    expect(must(present(shown))).toMatchObject({ task: { id }, duplicate: true });
    const [queued] = await at0("enqueue_task");
    expect(must(present(queued))).toEqual({ id, duplicate: true });
    const [other] = await at0("submit_task", submission({ kind: "other" }, { idempotency }));
    expect(mustFail(present(other)).code).toBe("idempotency_mismatch");
  });

  it("CE89 is left out of no batch that is sent again", async () => {
    const mesh = await meshOf(2);
    const { task: one, ...rest } = submission({ kind: "echo" }, { idempotency: keyOf(mesh, 0) });
    const batch = () =>
      mesh
        .cellOf(0)
        .node.run("admin", [{ name: "submit_batch", input: { ...rest, tasks: [one, one, one] } }]);
    const idsOf = (answers: Awaited<ReturnType<typeof batch>>) =>
      outputOf<"submit_batch">(answers[0]).results.map((result) =>
        "task" in result ? [result.task.id, result.duplicate] : result,
      );
    const first = idsOf(await batch());
    await peerAt(mesh, 1, { slots: 2 });
    await run(mesh, [], 3);
    const ids = first.map((shown) => (Array.isArray(shown) ? String(shown[0]) : ""));
    expect(ids.filter((id) => cellsWith(mesh, id)[0] === 1).length).toBeGreaterThan(0);
    expect(idsOf(await batch())).toEqual(ids.map((id) => [id, true]));
  });

  it("CE90 is asked for, cancelled and reported over the session of the peer that submitted it", async () => {
    const mesh = await meshOf(2);
    const key = keyAt(mesh, 0);
    must(await mesh.call("allow", { ...ALLOWED, peerId: key.id, publicKey: key.publicKey }));
    const giver = await new MeshPeer(mesh, keyAt(mesh, 0)).join({ kinds: [], claimedRole: "dual" });
    const of = { peerId: giver.id, epoch: giver.epoch };
    const given = outputOf<"assign_task">(
      await giver.send({
        name: "assign_task",
        input: { ...of, key: "k", trace: null, task: submission({ kind: "echo" }).task },
      }),
    );
    const { id } = given.task;
    const worker = await peerAt(mesh, 1);
    await run(mesh, [], 3);
    expect(cellsWith(mesh, id)).toEqual([1]);
    const asked = outputOf<"query_task">(
      await giver.send({ name: "query_task", input: { ...of, id } }),
    );
    expect(asked.task.state).toBe("leased");
    const again = await giver.send({
      name: "assign_task",
      input: { ...of, key: "k", trace: null, task: submission({ kind: "echo" }).task },
    });
    expect(outputOf<"assign_task">(again).task.id).toBe(id);
    await worker.work();
    await mesh.drain();
    const reports = mesh.effects.filter((effect) => effect.type === "report");
    expect(reports.map((effect) => "shown" in effect && effect.shown.task.state)).toEqual([
      "succeeded",
    ]);
  });

  it("CE91 is cancelled when its owner is revoked, before the call returns", async () => {
    const mesh = await meshOf(2);
    const key = keyAt(mesh, 0);
    must(await mesh.call("allow", { ...ALLOWED, peerId: key.id, publicKey: key.publicKey }));
    const giver = await new MeshPeer(mesh, keyAt(mesh, 0)).join({ kinds: [], claimedRole: "dual" });
    const given = outputOf<"assign_task">(
      await giver.send({
        name: "assign_task",
        input: {
          peerId: giver.id,
          epoch: giver.epoch,
          key: null,
          trace: null,
          task: submission({ kind: "echo" }).task,
        },
      }),
    );
    const { id } = given.task;
    const worker = await peerAt(mesh, 1);
    await run(mesh, [], 3);
    expect(cellsWith(mesh, id)).toEqual([1]);
    must(await mesh.call("revoke_peer", { id: giver.id }));
    expect(mesh.cellOf(1).registry.tasks.get(id)?.state).toBe("cancelled");
    expect(mesh.inbox(worker.session).cancelled).toHaveLength(1);
  });
});

it("CE92 a cell that drains gives all its waiting tasks away", async () => {
  const mesh = await meshOf(3);
  const ids: string[] = [];
  for (let n = 0; n < 12; n++) ids.push(await submit(mesh));
  expect(ids.some((id) => cellOfTask(id) === 2)).toBe(true);
  mesh.setCells(2);
  await mesh.call("get_auth_mode", {});
  await run(mesh, [], 8);
  for (const id of ids) expect(cellsWith(mesh, id)).not.toContain(2);
  for (const id of ids) expect((await task(mesh, id)).state).toBe("queued");
  expect(homeOf(mesh.known, "x")).toBeLessThan(2);
});
