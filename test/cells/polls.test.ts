import { describe, expect, it, test } from "vitest";
import { err } from "../../src/base/result.ts";
import type { CommandAnswer, Output } from "../../src/contract/commands.ts";
import type { SubmitInput } from "../../src/contract/tasks.ts";
import type { MoveOffer } from "../../src/contract/task-moves.ts";
import { placeOfKey } from "../../src/cells/placement.ts";
import { homeOf } from "../../src/cells/topology.ts";
import type { CellAnswer } from "../../durable/rpc.ts";
import { getOnceEnded, submitAndWait, type PollPorts } from "../../durable/task-polls.ts";
import { TaskWaiters } from "../../durable/task-waiters.ts";
import { submission } from "../coordinator/submission.ts";
import { must, mustFail, present } from "../must.ts";
import { CellMesh } from "./cell-mesh.ts";
import { keyAt, MeshPeer } from "./mesh-peer.ts";

it("CE88 who waits for the end of a task is answered with it also if the number of cells changes meanwhile: told to ask again, it would submit the task twice", async () => {
  const mesh = new CellMesh({ cells: 2 });
  const { node, registry } = mesh.cellOf(0);
  await node.enter({ cell: 0, topology: null });
  const { version } = registry.cells.topology;
  const ports: PollPorts = {
    registry,
    waiters: new TaskWaiters(),
    now: () => mesh.now,
    to: { cell: 0, topology: version },
    async execute(command, to): Promise<CellAnswer> {
      const entered = await node.enter(to);
      if (entered !== null && "cells" in entered) return [{ moved: entered }];
      const answers = await node.run("admin", [command]);
      mesh.setCells(3);
      void mesh.cellOf(0).tick();
      return answers;
    },
    elsewhere: () => Promise.reject(new Error("the task is here")),
  };
  const [answer] = await submitAndWait(ports, submission({ kind: "echo" }), 0);
  expect(registry.cells.topology.version).toBeGreaterThan(version);
  expect(answer).toMatchObject({ ok: true, value: { task: { kind: "echo" }, duplicate: false } });
});

/** Long polls in which the test decides what happens while they wait. */
class Waits extends TaskWaiters {
  readonly #happens: (ms: number) => Promise<void>;
  constructor(happens: (ms: number) => Promise<void>) {
    super();
    this.#happens = happens;
  }
  override wait(_key: string, ms: number): Promise<void> {
    return this.#happens(ms);
  }
}

/** What the polls of callers in a cell use. */
const portsOf = (mesh: CellMesh, cell: number, waiters: TaskWaiters): PollPorts => {
  const { node, registry } = mesh.cellOf(cell);
  return {
    registry,
    waiters,
    now: () => mesh.now,
    to: { cell, topology: null },
    execute: async (command): Promise<CellAnswer> => node.run("admin", [command]),
    elsewhere: async (other, input, ms) =>
      mesh.transport.down.has(other)
        ? [err({ code: "unavailable", detail: "no answer" })]
        : getOnceEnded(portsOf(mesh, other, waiters), input, ms),
  };
};

/** A task of cell 0 that is on its way along these cells: the last of them does not get it yet. */
async function onItsWay(cells: readonly number[]) {
  const mesh = new CellMesh({ cells: 3 });
  await mesh.call("get_auth_mode", {});
  await mesh.settle(1);
  const keys = Array.from({ length: 100 }, (_, n) => ({ scope: "s", key: `${n}` }));
  const isAt0 = ({ scope, key }: { scope: string; key: string }) =>
    homeOf(mesh.known, placeOfKey(scope, key)) === 0;
  const input = submission({ kind: "echo" }, { idempotency: present(keys.find(isAt0)) });
  const { id } = must(await mesh.call("enqueue_task", input));
  const { kind, requirements } = input.task;
  const shape = { kind, requirements };
  const offer: MoveOffer = { shape, owner: "admin", count: 1, reason: "unable", to: null };
  for (const [at, to] of cells.entries()) {
    const isLast = at === cells.length - 1;
    mesh.transport.faultOf = (_, names) =>
      isLast && names.includes("receive_messages") ? "request_lost" : "none";
    mesh.now += 1_000;
    const command = { name: "move_tasks", input: { to, offer, limit: 1 } } as const;
    const [answer] = await mesh.cellOf(cells[at - 1] ?? 0).run("mesh", [command]);
    expect((must(present(answer)) as Output<"move_tasks">).moved).toBe(1);
    await mesh.drain();
  }
  expect(mustFail(await mesh.call("get_task", { id, visibleTo: null })).code).toBe("unavailable");
  return { mesh, id, input };
}

const POLLS: Readonly<
  Record<
    string,
    (ports: PollPorts, id: string, input: SubmitInput, ms: number) => Promise<CellAnswer>
  >
> = {
  "asks for it": (ports, id, _, ms) => getOnceEnded(ports, { id, visibleTo: null }, ms),
  "repeats its key": (ports, _, input, ms) => submitAndWait(ports, input, ms),
};
const PATHS = { "from its first cell": [1], "from a cell that it came to": [1, 2] };
const CASES = Object.keys(POLLS).flatMap((poll) =>
  Object.entries(PATHS).map(([name, path]) => ({ poll, name, path })),
);

describe("CE88 who begins to wait while the task is on its way", () => {
  test.each(CASES)("$name, and $poll, is answered once it has ended", async ({ poll, path }) => {
    const { mesh, id, input } = await onItsWay(path);
    const peer = await new MeshPeer(mesh, keyAt(mesh, present(path.at(-1)))).join({
      kinds: ["echo"],
    });
    let waits = 0;
    const waiters = new Waits(async () => {
      waits++;
      if (waits < 3) return;
      mesh.transport.faultOf = () => "none";
      await mesh.settle(4);
      await peer.work();
    });
    const polled = POLLS[poll]?.(portsOf(mesh, 0, waiters), id, input, 600_000);
    const [answer] = (await present(polled)) as readonly CommandAnswer[];
    const value = must(present(answer)) as object;
    const task = "task" in value ? value.task : value;
    expect(task).toMatchObject({ id, state: "succeeded", peer_id: peer.id });
    if ("task" in value) expect(value).toMatchObject({ duplicate: true });
  });

  test.each(CASES)(
    "$name, and $poll, is told so if it does not arrive in time",
    async ({ poll, path }) => {
      const { mesh, id, input } = await onItsWay(path);
      const began = mesh.now;
      const waiters = new Waits(async (ms) => {
        mesh.now += ms;
      });
      const polled = POLLS[poll]?.(portsOf(mesh, 0, waiters), id, input, 950);
      const [answer] = (await present(polled)) as readonly CommandAnswer[];
      expect(mustFail(present(answer))).toMatchObject({ code: "unavailable", retryAfter: 1 });
      expect(mesh.now - began).toBe(950);
    },
  );

  test("and repeats its key with another request, is told that", async () => {
    const { mesh, input } = await onItsWay([1]);
    const waiters = new Waits(() => Promise.reject(new Error("nothing to wait for")));
    const other = submission({ kind: "other" }, { idempotency: input.idempotency });
    const polled = await submitAndWait(portsOf(mesh, 0, waiters), other, 1_000);
    const [answer] = polled as readonly CommandAnswer[];
    expect(mustFail(present(answer)).code).toBe("idempotency_mismatch");
  });
});

/** Cell 0 of two accepts a task, which moves to a peer of cell 1 while its caller waits. Then cell 1 does not answer. */
async function movedToSilent(then: (mesh: CellMesh, peer: MeshPeer) => Promise<unknown>) {
  const mesh = new CellMesh({ cells: 2 });
  await mesh.call("get_auth_mode", {});
  await mesh.settle(1);
  let peer: MeshPeer | null = null;
  const waiters = new Waits(async (ms) => {
    if (peer === null) {
      peer = await new MeshPeer(mesh, keyAt(mesh, 1)).join({ kinds: ["echo"] });
      await mesh.settle(2);
      mesh.transport.down.add(1);
    } else {
      mesh.now += ms;
      await then(mesh, peer);
    }
  });
  return { mesh, ports: portsOf(mesh, 0, waiters), peerId: () => present(peer).id };
}

describe("CE152 who waits for a task whose cell stops answering", () => {
  it("is answered with its end, if the cell is back in time", async () => {
    const { ports, peerId } = await movedToSilent(async (mesh, peer) => {
      mesh.transport.down.delete(1);
      await peer.work();
    });
    const [answer] = await submitAndWait(ports, submission({ kind: "echo" }), 600_000);
    const task = { state: "succeeded", peer_id: peerId() };
    expect(answer).toMatchObject({ ok: true, value: { task, duplicate: false } });
  });

  it("is told of the task as it was accepted, if it has submitted it: told to ask again, it would submit it twice", async () => {
    const { mesh, ports } = await movedToSilent(async () => {});
    const began = mesh.now;
    const [answer] = await submitAndWait(ports, submission({ kind: "echo" }), 60_000);
    expect(answer).toMatchObject({
      ok: true,
      value: { task: { state: "queued", kind: "echo" }, duplicate: false },
    });
    expect(mesh.now - began).toBe(60_000);
    const { id } = (must(present(answer as CommandAnswer)) as Output<"submit_task">).task;
    const [asked] = await getOnceEnded(ports, { id, visibleTo: null }, 0);
    expect(mustFail(present(asked as CommandAnswer)).code).toBe("unavailable");
    mesh.transport.down.delete(1);
    expect(must(await mesh.call("get_task", { id, visibleTo: null })).state).toBe("leased");
  });
});
