import { expect, it } from "vitest";
import type { Output } from "../../src/contract/commands.ts";
import type { MoveOffer } from "../../src/contract/task-moves.ts";
import { AllowBody } from "../../src/protocol/http.ts";
import { submission } from "../coordinator/submission.ts";
import { must, mustFail, present } from "../must.ts";
import { CellMesh } from "./cell-mesh.ts";
import { keyAt, MeshPeer } from "./mesh-peer.ts";

/** A task that a peer of cell 0 has submitted over its session, and that cell 0 has. No peer can take it, so it may move. */
async function submitted() {
  const mesh = new CellMesh({ cells: 3 });
  await mesh.call("get_auth_mode", {});
  await mesh.settle(1);
  const key = keyAt(mesh, 0);
  const allowed = AllowBody.parse({ roles: ["dual"] });
  must(await mesh.call("allow", { ...allowed, peerId: key.id, publicKey: key.publicKey }));
  const giver = await new MeshPeer(mesh, key).join({ kinds: [], claimedRole: "dual" });
  const { task } = submission({ kind: "echo" });
  const of = { peerId: giver.id, epoch: giver.epoch };
  const input = { ...of, key: null, trace: null, task };
  const given = must(await giver.send({ name: "assign_task", input })) as Output<"assign_task">;
  const { id } = given.task;
  const offer: MoveOffer = {
    shape: { kind: task.kind, requirements: task.requirements },
    owner: giver.id,
    count: 1,
    reason: "unable",
    to: null,
  };
  const move = async (from: number, to: number): Promise<void> => {
    mesh.now += 1_000;
    const command = { name: "move_tasks", input: { to, offer, limit: 1 } } as const;
    const [answer] = await mesh.cellOf(from).run("mesh", [command]);
    expect((must(present(answer)) as Output<"move_tasks">).moved).toBe(1);
    await mesh.drain();
  };
  const query = () => giver.send({ name: "query_task", input: { ...of, id } });
  return { mesh, id, query, move };
}

it("CE90 CE88 a task on its way between two other cells is not found nowhere", async () => {
  const { mesh, id, query, move } = await submitted();
  await move(0, 1);
  mesh.transport.faultOf = (_, names) =>
    names.includes("receive_messages") ? "request_lost" : "none";
  await move(1, 2);
  expect(mustFail(await query()).code).toBe("unavailable");
  mesh.transport.faultOf = () => "none";
  await mesh.settle(4);
  expect(must(await query())).toMatchObject({ task: { id } });
});

it.each(["own_task", "find_task"])(
  "CE90 CE88 nor is one about which %s gets no answer",
  async (lost) => {
    const { mesh, id, query, move } = await submitted();
    await move(0, 1);
    await move(1, 2);
    mesh.transport.faultOf = (_, names) => (names.includes(lost) ? "answer_lost" : "none");
    expect(mustFail(await query()).code).toBe("unavailable");
    mesh.transport.faultOf = () => "none";
    expect(must(await query())).toMatchObject({ task: { id } });
  },
);

it("CE90 a task that was deleted where it went is found nowhere", async () => {
  const { mesh, query, move, id } = await submitted();
  await move(0, 1);
  await move(1, 2);
  must(await mesh.call("cancel_task", { id, visibleTo: null }));
  mesh.cellOf(2).rows(`DELETE FROM tasks`);
  mesh.cellOf(2).crash();
  expect(mustFail(await query()).code).toBe("not_found");
});
