import { describe, expect, test } from "vitest";
import { NULL_JSON } from "../../../src/base/json-text/json-text.ts";
import { HOUR, MINUTE, SECOND } from "../../../src/base/clock.ts";
import { KEYS, TestMesh, type TestPeer } from "../mesh.ts";

const [A, B, C] = KEYS;

/** Accepts and answers the newest offer. */
function answer(peer: TestPeer, how: "finish" | "fail"): void {
  peer.accept();
  if (how === "finish") peer.finish();
  else peer.fail("it is broken");
}

/** A queue of tasks, a broken peer that answers at once, and good ones that take a second. */
function blackHole(tasks: number) {
  const mesh = new TestMesh();
  const hole = mesh.join(A, { slots: 2, prefetch: true });
  const good = [mesh.join(B, { slots: 1 }), mesh.join(C, { slots: 1 })];
  for (let n = 0; n < tasks; n++) mesh.submit({ kind: "echo", deadline_seconds: 86_400 });
  return { mesh, hole, good };
}

/** Whether the peer holds the task by this offer now. */
function heldBy(
  mesh: TestMesh,
  peer: TestPeer,
  { task_id: id, fence }: TestPeer["offer"],
): boolean {
  const task = mesh.registry.tasks.get(id);
  return task?.peerId === peer.id && task.fence === fence && task.leaseUntil !== null;
}

/** Answers every offer of the broken peer at once, and those of the good peers a second later. */
function runFor(
  { mesh, hole, good }: ReturnType<typeof blackHole>,
  seconds: number,
  isBroken: () => boolean = () => true,
): number {
  let answered = 0;
  const seen = new Set<TestPeer["offer"]>();
  const open = (peer: TestPeer) => peer.offers.filter((offer) => !seen.has(offer));
  for (let second = 0; second < seconds; second++) {
    for (let offers = open(hole); offers.length > 0; offers = open(hole))
      for (const offer of offers) {
        seen.add(offer);
        const claim = { task_id: offer.task_id, fence: offer.fence };
        const outcome = isBroken()
          ? ({ ...claim, ok: false, error: "it is broken", retry: true } as const)
          : ({ ...claim, ok: true, result: NULL_JSON } as const);
        if (heldBy(mesh, hole, offer)) answered++;
        else continue;
        mesh.run("finish_task", { peerId: hole.id, epoch: hole.epoch, outcome });
      }
    mesh.runFor(SECOND);
    for (const peer of good)
      for (const offer of open(peer)) {
        seen.add(offer);
        if (heldBy(mesh, peer, offer)) mesh.run("finish_task", peer.successInput("done", offer));
      }
  }
  return answered;
}

const ended = (mesh: TestMesh, state: "failed" | "succeeded"): number =>
  mesh.run("list_tasks", { state, limit: 500, visibleTo: null }).tasks.length;

describe("a peer that fails at once, with a standing queue", () => {
  test("BR5 rests, so that it wastes few attempts and loses no task", () => {
    const world = blackHole(120);
    const wasted = runFor(world, 70);
    expect(wasted).toBeLessThanOrEqual(12);
    expect(ended(world.mesh, "failed")).toBe(0);
    expect(ended(world.mesh, "succeeded")).toBe(120);
  });

  test("AS68 shows its circuit, with the reason and until when it rests", () => {
    const world = blackHole(40);
    runFor(world, 4);
    const [circuit] = world.hole.view.circuits ?? [];
    expect(circuit).toMatchObject({
      kind: "echo",
      reason: expect.stringContaining("it is broken"),
    });
    const { id } = world.mesh.submit({ kind: "echo", requirements: { avoid: [B.id, C.id] } });
    const why = world.mesh.run("why_task", { id, visibleTo: null });
    expect(why.ruled_out["circuit_open"] ?? why.ruled_out["probe_running"]).toBe(1);
    expect(why.waits_because).toContain("resting after failures");
  });

  test("BR2 is used again soon after it is mended", () => {
    const world = blackHole(1_000);
    let broken = true;
    runFor(world, 60, () => broken);
    broken = false;
    runFor(world, 240, () => broken);
    expect(world.hole.view.circuits).toEqual([]);
    expect(world.hole.view.successes).toBeGreaterThan(10);
  });

  test("AS69 is used at once when the operator resets its circuits, which is audited", () => {
    const world = blackHole(60);
    runFor(world, 6);
    expect(world.hole.view.circuits).toHaveLength(1);
    const { length } = world.hole.offers;
    const shown = world.mesh.run("reset_circuits", { id: A.id });
    expect(shown.circuits).toEqual([]);
    expect(world.hole.offers.length).toBeGreaterThan(length);
    expect(world.mesh.registry.audit.list({ limit: 5, act: "reset_circuits" })).toHaveLength(1);
  });

  test("AS68 rests also after a restart of the coordinator, and moves with a rotated key", () => {
    const world = blackHole(40);
    runFor(world, 4);
    const { circuits } = world.hole.view;
    expect(circuits).toHaveLength(1);
    world.mesh.registry.measurements.flush();
    world.mesh.restart();
    expect(world.hole.view.circuits).toEqual(circuits);
  });

  test("AS68 is chosen like any other once it has rested for an hour without a probe", () => {
    const mesh = new TestMesh();
    const hole = mesh.join(A);
    const other = mesh.join(B);
    for (let n = 0; n < 4; n++) {
      mesh.submit({ kind: "echo", max_attempts: 1, requirements: { peer_id: A.id } });
      answer(hole, "fail");
    }
    expect(hole.view.circuits).toHaveLength(1);
    mesh.runFor(2 * HOUR);
    other.leave();
    const { id } = mesh.submit({ kind: "echo" });
    expect(hole.offer.task_id).toBe(id);
  });
});

describe("when every circuit is open", () => {
  test("BR6 the mesh probes, one task at a time at each peer, and a success brings the peer back", () => {
    const mesh = new TestMesh();
    const only = mesh.join(A, { slots: 4 });
    for (let n = 0; n < 30; n++) mesh.submit({ kind: "echo", deadline_seconds: 86_400 });
    for (let n = 0; n < 4; n++) {
      const offer = only.offers.at(-1 - n);
      if (offer !== undefined) mesh.run("accept_task", only.attempt(offer));
    }
    for (const offer of only.offers.slice(0, 4)) {
      const claim = { task_id: offer.task_id, fence: offer.fence };
      const outcome = { ...claim, ok: false, error: "down", retry: true } as const;
      mesh.run("finish_task", { peerId: only.id, epoch: only.epoch, outcome });
    }
    expect(only.view.circuits).toHaveLength(1);
    mesh.runFor(2 * SECOND);
    expect(only.view.tasks).toBe(1);
    answer(only, "finish");
    for (let n = 0; n < 60 && only.view.circuits?.length !== 0; n++) {
      mesh.runFor(SECOND);
      if (only.view.tasks > 0) answer(only, "finish");
    }
    expect(only.view.circuits).toEqual([]);
    expect(only.view.tasks).toBeGreaterThan(1);
  });
});

describe("a task that fails at different peers", () => {
  test("BR4 speaks against the task: the peers keep their standing", () => {
    const mesh = new TestMesh();
    const peers = [A, B, C].map((key) => mesh.join(key));
    for (let n = 0; n < 12; n++) {
      const { id } = mesh.submit({ kind: "echo", max_attempts: 3 });
      for (let tries = 0; tries < 3; tries++) {
        const holder = peers.find((peer) => peer.id === mesh.task(id).peer_id);
        if (holder === undefined) throw new Error("nobody has the task");
        answer(holder, "fail");
        mesh.runFor(3 * SECOND);
      }
      expect(new Set(mesh.task(id).attempts.map(({ peer_id: peerId }) => peerId)).size).toBe(3);
      for (let good = 0; good < 4; good++) {
        const fine = mesh.submit({ kind: "echo" });
        const holder = peers.find((peer) => peer.id === mesh.task(fine.id).peer_id);
        if (holder === undefined) throw new Error("nobody has the task");
        answer(holder, "finish");
      }
    }
    for (const peer of peers) expect(peer.view.circuits).toEqual([]);
  });
});

describe("a task that failed at a peer", () => {
  test("BR7 waits for another that is busy rather than return to it", () => {
    const mesh = new TestMesh();
    const other = mesh.join(B, { slots: 1 });
    mesh.submit({ kind: "echo", lease_seconds: 3_600 });
    other.accept();
    const failing = mesh.join(A, { slots: 4 });
    const { id } = mesh.submit({ kind: "echo" });
    answer(failing, "fail");
    mesh.runFor(5 * MINUTE);
    expect(mesh.task(id)).toMatchObject({ state: "queued" });
    other.finish();
    expect(other.offer.task_id).toBe(id);
  });

  test("BR7 returns to it when no other connected peer could take it", () => {
    const mesh = new TestMesh();
    const failing = mesh.join(A);
    mesh.join(B, { kinds: ["render"] });
    mesh.join(C, { slots: 0 });
    const { id } = mesh.submit({ kind: "echo" });
    answer(failing, "fail");
    mesh.runFor(2 * SECOND);
    expect(failing.offer).toMatchObject({ task_id: id, fence: 2 });
  });
});

describe("a peer that refuses", () => {
  test("BR3 a kind twice and never did it rests at that kind, and not at others", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A, { slots: 4 });
    for (let n = 0; n < 20; n++) mesh.submit({ kind: "rare", deadline_seconds: 86_400 });
    for (let answered = 0; answered < peer.offers.length; answered++) {
      const claim = peer.attempt(peer.offers[answered]);
      mesh.run("refuse_task", { ...claim, reason: "no handler for rare" });
    }
    expect(peer.offers.length).toBeLessThanOrEqual(6);
    expect(peer.view.circuits).toMatchObject([{ kind: "rare", state: "open" }]);
    const { id } = mesh.submit({ kind: "echo" });
    expect(peer.offer.task_id).toBe(id);
  });
});
