import { expect, it } from "vitest";
import type { CellAnswer } from "../../durable/rpc.ts";
import { submitAndWait, type PollPorts } from "../../durable/task-polls.ts";
import { TaskWaiters } from "../../durable/task-waiters.ts";
import { submission } from "../coordinator/submission.ts";
import { CellMesh } from "./cell-mesh.ts";

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
