import { describe, expect, it } from "vitest";
import { cellOfTask } from "../../src/cells/task-cell.ts";
import type { Output } from "../../src/contract/commands.ts";
import type { SubmitTaskInput } from "../../src/protocol/http.ts";
import type { TaskOffer } from "../../src/protocol/messages.ts";
import { submission } from "../coordinator/submission.ts";
import { must, present } from "../must.ts";
import { CellMesh } from "./cell-mesh.ts";
import { keyAt, MeshPeer } from "./mesh-peer.ts";

async function meshOf(cells: number): Promise<CellMesh> {
  const mesh = new CellMesh({ cells, seed: 1 });
  await mesh.call("get_auth_mode", {});
  await mesh.settle(1);
  return mesh;
}

const peerAt = (mesh: CellMesh, cell: number, nth: number, slots = 4) =>
  new MeshPeer(mesh, keyAt(mesh, cell, nth)).join({ kinds: ["echo"], slots });

/** A task that cell 0 accepts. */
async function submitAt0(
  mesh: CellMesh,
  task: SubmitTaskInput = { kind: "echo" },
): Promise<string> {
  const input = submission(task);
  const [answer] = await mesh.cellOf(0).run("admin", [{ name: "enqueue_task", input }]);
  return (must(present(answer)) as Output<"enqueue_task">).id;
}

const taskOf = async (mesh: CellMesh, id: string): Promise<Output<"get_task">> =>
  must(await mesh.call("get_task", { id, visibleTo: null }));

async function fail(peer: MeshPeer, offer: TaskOffer): Promise<void> {
  const { task_id, fence } = offer;
  await peer.accept(offer);
  const outcome = { task_id, fence, ok: false, error: "it broke", retry: true } as const;
  const { id: peerId, epoch } = peer;
  await peer.send({ name: "finish_task", input: { peerId, epoch, outcome } });
}

/** Lets peers of cell 0 fail whatever they are offered, and all others work. */
async function run(
  mesh: CellMesh,
  peers: { readonly failing: readonly MeshPeer[]; readonly working: readonly MeshPeer[] },
  seconds: number,
): Promise<void> {
  for (let step = 0; step < 10 * seconds; step++) {
    for (const peer of peers.failing)
      for (let offer = peer.nextOffer(); offer !== null; offer = peer.nextOffer())
        await fail(peer, offer);
    for (const peer of peers.working) await peer.work();
    mesh.now += 100;
    await Promise.all(mesh.cells.map((cell) => cell.tick()));
    await mesh.drain();
  }
}

const failuresIn = ({ attempts }: Output<"get_task">): number =>
  attempts.filter(({ state }) => state === "failed").length;

describe("where every peer of a cell fails at once", () => {
  it("CE150 a task goes on in another cell after two failures, while it pauses", async () => {
    const mesh = await meshOf(2);
    const failing = await Promise.all([0, 1, 2, 3].map((nth) => peerAt(mesh, 0, nth)));
    const working = [await peerAt(mesh, 1, 0)];
    const id = await submitAt0(mesh);
    await run(mesh, { failing, working }, 4);
    const task = await taskOf(mesh, id);
    expect([task.state, cellOfTask(id), failuresIn(task)]).toEqual(["succeeded", 0, 2]);
  });

  it("CE150 after one failure, if most of the peers rest", async () => {
    const mesh = await meshOf(2);
    const failing = await Promise.all([0, 1].map((nth) => peerAt(mesh, 0, nth)));
    const { resting } = mesh.cellOf(0).registry.circuits;
    while (resting.at("echo").size < 2) {
      await submitAt0(mesh, { kind: "echo", max_attempts: 1 });
      await run(mesh, { failing, working: [] }, 0.1);
    }
    const working = [await peerAt(mesh, 1, 0)];
    const id = await submitAt0(mesh);
    await run(mesh, { failing, working }, 4);
    const task = await taskOf(mesh, id);
    expect([task.state, failuresIn(task)]).toEqual(["succeeded", 1]);
  });

  it("CE150 after two failures since it came, however often it has moved for want of room", async () => {
    const mesh = await meshOf(2);
    const failing = await Promise.all([0, 1, 2, 3].map((nth) => peerAt(mesh, 1, nth)));
    const id = await submitAt0(mesh);
    for (let step = 0; mesh.cellOf(1).registry.tasks.get(id) === null && step < 20; step++)
      await run(mesh, { failing: [], working: [] }, 0.1);
    const working = [await peerAt(mesh, 0, 0)];
    await run(mesh, { failing, working }, 4);
    const task = await taskOf(mesh, id);
    expect([task.state, failuresIn(task)]).toEqual(["succeeded", 2]);
  });

  it("CE150 a task stays if no other cell has a free slot, and moves three times at most", async () => {
    const backoff = { first_seconds: 0.5, max_seconds: 0.5 };
    const task = { kind: "echo", max_attempts: 10, backoff };
    const mesh = await meshOf(2);
    const failing = [await peerAt(mesh, 0, 0), await peerAt(mesh, 1, 0)];
    const id = await submitAt0(mesh, task);
    for (let round = 0; round < 60 && (await taskOf(mesh, id)).state !== "failed"; round++)
      await run(mesh, { failing, working: [] }, 10);
    const { attempts } = await taskOf(mesh, id);
    expect(attempts).toHaveLength(10);
    const moves = attempts.filter(
      ({ peer_id }, at) => at > 0 && peer_id !== attempts[at - 1]?.peer_id,
    );
    expect(moves).toHaveLength(3);

    const alone = await meshOf(2);
    const only = [await peerAt(alone, 0, 0)];
    const kept = await submitAt0(alone, { ...task, max_attempts: 4 });
    await run(alone, { failing: only, working: [] }, 5);
    expect(failuresIn(await taskOf(alone, kept))).toBeGreaterThan(1);
    expect(alone.cellOf(0).registry.tasks.get(kept)).not.toBeNull();
  });
});
