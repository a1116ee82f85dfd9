import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MINUTE } from "../../../src/base/clock.ts";
import { OWNER_QUEUE_MAX } from "../../../src/protocol/constants.ts";
import type { SubmitTaskInput } from "../../../src/protocol/http.ts";
import { present } from "../../must.ts";
import { SCALE } from "../../session/arbitraries.ts";
import { KEYS, submission, TestMesh, type TestPeer } from "../mesh.ts";

const [A] = KEYS;

const submitAs = (mesh: TestMesh, owner: string, task: Partial<SubmitTaskInput> = {}): string =>
  mesh.run("enqueue_task", submission({ kind: "echo", ...task }, { owner })).id;

const submitMany = (mesh: TestMesh, owner: string, count: number): void => {
  for (let i = 0; i < count; i++) submitAs(mesh, owner);
};

const ownerOf = (mesh: TestMesh, id: string): string => present(mesh.registry.tasks.get(id)).owner;

/** Lets the peer do its offered task; returns whose it was. */
function serveOne(mesh: TestMesh, peer: TestPeer): string {
  const owner = ownerOf(mesh, peer.offer.task_id);
  mesh.advanceClock(1_000);
  peer.finish();
  return owner;
}

function serve(mesh: TestMesh, peer: TestPeer, tasks: number): Map<string, number> {
  const served = new Map<string, number>();
  for (let i = 0; i < tasks; i++) {
    const owner = serveOne(mesh, peer);
    served.set(owner, (served.get(owner) ?? 0) + 1);
  }
  return served;
}

function tokenWith(mesh: TestMesh, limits: object): string {
  return mesh.run("create_token", { label: "tenant", scope: "controller", ...limits }).id;
}

describe("owners that share the peers", () => {
  test("FQ1 a lone task of a quiet owner goes before the thousands that another owner has queued", () => {
    const mesh = new TestMesh();
    submitMany(mesh, "flood", 200);
    const peer = mesh.join(A);
    serve(mesh, peer, 50);
    const id = submitAs(mesh, "quiet");
    serveOne(mesh, peer);
    expect(peer.offer.task_id).toBe(id);
  });

  test("FQ1 a lone task that arrives with the backlogs of many owners goes before them", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    for (let n = 0; n < 20; n++) submitMany(mesh, `owner ${n}`, 5);
    const id = submitAs(mesh, "quiet");
    serveOne(mesh, peer);
    expect(peer.offers.map(({ task_id }) => task_id)).toContain(id);
  });

  test("FQ1 what two backlogged owners got for their weights never differs by more than one task of each", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 2, maxLength: 5 }),
        fc.integer({ min: 1, max: 40 }),
        (weights, rounds) => {
          const mesh = new TestMesh();
          const owners = weights.map((weight) => tokenWith(mesh, { weight }));
          for (const owner of owners) submitMany(mesh, owner, 45);
          const peer = mesh.join(A);
          const served = serve(mesh, peer, rounds);
          owners.forEach((owner, index) => {
            // The bound of start-time fair queueing (Goyal et al. 1996, theorem 1).
            owners.forEach((other, otherIndex) => {
              const got = (served.get(owner) ?? 0) / present(weights[index]);
              const otherGot = (served.get(other) ?? 0) / present(weights[otherIndex]);
              const bound = 1 / present(weights[index]) + 1 / present(weights[otherIndex]);
              expect(Math.abs(got - otherGot)).toBeLessThanOrEqual(bound + 1e-9);
            });
          });
        },
      ),
      { numRuns: 15 * SCALE },
    );
  });

  test("FQ1 a higher priority goes first whoever submits it, and never makes a task of a quiet owner wait longer", () => {
    const mesh = new TestMesh();
    submitMany(mesh, "flood", 20);
    const peer = mesh.join(A);
    const urgent = submitAs(mesh, "urgent", { priority: 5 });
    submitAs(mesh, "quiet");
    serveOne(mesh, peer);
    expect(peer.offer.task_id).toBe(urgent);
    // The flood has waited longer than five steps of priority are worth: it is its priority's turn, but not its own.
    mesh.advanceClock(10 * MINUTE);
    const late = submitAs(mesh, "late", { priority: 5 });
    serve(mesh, peer, 2);
    expect(peer.offers.map(({ task_id }) => task_id)).toContain(late);
  });

  test("FQ1 no task starves under an endless stream of other owners' urgent tasks", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    submitAs(mesh, "stream 0", { priority: 10 });
    const low = submitAs(mesh, "low", { deadline_seconds: 86_400 });
    for (let minutes = 0; peer.offer.task_id !== low; minutes++) {
      // Ten minutes make up for the priority; about twenty urgent tasks of that time are before it then.
      expect(minutes).toBeLessThanOrEqual(24);
      submitAs(mesh, `stream ${minutes % 3}`, { priority: 10 });
      submitAs(mesh, `stream ${(minutes + 1) % 3}`, { priority: 10 });
      mesh.advanceClock(MINUTE);
      peer.finish();
    }
  });

  test("FQ2 an owner that returns has no credit for having been idle, and no debt for work that nobody else wanted", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    submitMany(mesh, "idle", 1);
    serve(mesh, peer, 1);
    submitMany(mesh, "busy", 40);
    serve(mesh, peer, 30);
    submitMany(mesh, "idle", 10);
    const served = serve(mesh, peer, 12);
    expect(Math.abs((served.get("idle") ?? 0) - (served.get("busy") ?? 0))).toBeLessThanOrEqual(2);
  });

  test("FQ2 an offer that a peer refuses costs its owner nothing", () => {
    const mesh = new TestMesh();
    submitMany(mesh, "a", 1);
    const peer = mesh.join(A);
    const before = mesh.registry.tasks.shares.tagOf("a");
    peer.refuse();
    expect(before).toBeGreaterThan(0);
    expect(mesh.registry.tasks.shares.tagOf("a")).toBe(0);
  });

  test("FQ3 a weight that is changed holds for the tasks that wait already", () => {
    const mesh = new TestMesh();
    const [one, two] = [tokenWith(mesh, {}), tokenWith(mesh, {})];
    for (const owner of [one, two]) submitMany(mesh, owner, 60);
    const peer = mesh.join(A);
    expect(serve(mesh, peer, 10)).toEqual(new Map([one, two].map((owner) => [owner, 5])));
    mesh.run("update_token", { id: one, weight: 4 });
    const served = serve(mesh, peer, 50);
    expect(served.get(one)).toBeGreaterThanOrEqual(38);
    expect(served.get(two)).toBeGreaterThanOrEqual(9);
  });

  test("FQ10 owners share after a restart as before", () => {
    const mesh = new TestMesh();
    submitMany(mesh, "flood", 60);
    submitMany(mesh, "other", 40);
    const peer = mesh.join(A);
    serve(mesh, peer, 20);
    mesh.restart();
    const served = serve(mesh, peer, 20);
    expect(Math.abs((served.get("flood") ?? 0) - (served.get("other") ?? 0))).toBeLessThanOrEqual(
      2,
    );
  });
});

describe("the queued tasks of one owner", () => {
  test("FQ4 an owner whose queue is full gets owner_queue_full, and others are accepted", () => {
    const mesh = new TestMesh();
    const owner = tokenWith(mesh, { max_waiting: 3 });
    submitMany(mesh, owner, 3);
    const refused = mesh.errorOf("submit_task", submission({ kind: "echo" }, { owner }));
    expect(refused).toMatchObject({ code: "owner_queue_full", retryAfter: expect.any(Number) });
    expect(refused.detail).toContain("max_waiting");
    submitAs(mesh, "another");
    serve(mesh, mesh.join(A), 1);
    submitAs(mesh, owner);
  });

  test("FQ4 an owner without a limit of its own may queue a quarter of the queue, the admin token all of it", () => {
    const mesh = new TestMesh();
    const id = submitAs(mesh, "tenant");
    const task = present(mesh.registry.tasks.get(id));
    mesh.registry.transaction(() => {
      for (let i = 1; i < OWNER_QUEUE_MAX; i++) mesh.registry.tasks.insert({ ...task, id: `${i}` });
    });
    const full = mesh.errorOf("submit_task", submission({ kind: "echo" }, { owner: "tenant" }));
    expect(full.code).toBe("owner_queue_full");
    mesh.restart();
    expect(mesh.errorOf("submit_task", submission({ kind: "echo" }, { owner: "tenant" }))).toEqual(
      full,
    );
    mesh.fillQueue(OWNER_QUEUE_MAX + 1, { kind: "echo" });
  });

  test("FQ7 a task above the owner's max_priority is refused, one at it is accepted", () => {
    const mesh = new TestMesh();
    const owner = tokenWith(mesh, { max_priority: 2 });
    submitAs(mesh, owner, { priority: 2 });
    const high = submission({ kind: "echo", priority: 3 }, { owner });
    expect(mesh.errorOf("submit_task", high)).toMatchObject({
      code: "forbidden",
      detail: expect.stringContaining("max_priority"),
    });
  });
});
