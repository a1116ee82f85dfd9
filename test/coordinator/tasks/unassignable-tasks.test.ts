import { describe, expect, test } from "vitest";
import type { Sql } from "../../../src/registry/sql.ts";
import { nodeSql } from "../../node-sql.ts";
import { testKey, TestMesh } from "../mesh.ts";

/** A database that counts its statements and the rows that they return. */
function countingSql() {
  const database = nodeSql();
  const counts = { statements: 0, rows: 0 };
  const sql: Sql = {
    exec(query, ...bindings) {
      const rows = database.exec(query, ...bindings);
      counts.statements += 1;
      counts.rows += rows.length;
      return rows;
    },
    transaction: (body) => database.transaction(body),
    size: () => database.size(),
  };
  const during = (act: () => void) => {
    const before = { ...counts };
    act();
    return { statements: counts.statements - before.statements, rows: counts.rows - before.rows };
  };
  return { sql, during };
}

const PEERS = 40;
const UNASSIGNABLE = 1_500;

/** A mesh with peers that have free slots, and a queue of tasks that none of them can run. */
function meshWithUnassignableTasks(requirementsOf: (n: number) => object) {
  const { sql, during } = countingSql();
  const mesh = new TestMesh({ sql });
  const peers = Array.from({ length: PEERS }, (_, n) => mesh.join(testKey(2_000 + n)));
  for (let n = 0; n < UNASSIGNABLE; n++)
    mesh.submit({ kind: "echo", requirements: requirementsOf(n), priority: 5 });
  return { mesh, during, peers };
}

describe("a queue of tasks that no peer can run", () => {
  test.each([
    ["alike", () => ({ capabilities: ["missing"] })],
    ["each with other requirements", (n: number) => ({ capabilities: [`missing=${n}`] })],
    [
      "each for another peer that is not connected",
      (n: number) => ({ peer_id: `${n}`.padStart(32, "0") }),
    ],
  ])(
    "SC29 a command reads neither the unassignable tasks nor all peers, whether the tasks are %s",
    (_, requirementsOf) => {
      const { mesh, during, peers } = meshWithUnassignableTasks(requirementsOf);
      let id = "";
      const submit = during(() => ({ id } = mesh.submit({ kind: "echo" })));
      const holder = peers.find(({ offers }) => offers.some((offer) => offer.task_id === id));
      const finish = during(() => {
        holder?.accept();
        holder?.finish(null);
      });
      expect(mesh.task(id).state).toBe("succeeded");
      for (const { statements, rows } of [submit, finish]) {
        expect(rows).toBeLessThan(40);
        expect(statements).toBeLessThan(60);
      }
      expect(mesh.registry.tasks.waiting.length).toBe(UNASSIGNABLE);
    },
    120_000,
  );

  test("SC29 the tasks are offered in queue order as soon as a peer can run them", () => {
    const { mesh } = meshWithUnassignableTasks(() => ({ capabilities: ["rare"] }));
    const able = mesh.join(testKey(8_000), { capabilities: ["rare"], slots: 3 });
    expect(able.offers).toHaveLength(3);
    const turns = able.offers.map(({ task_id }) => mesh.registry.tasks.get(task_id)?.queuePosition);
    expect(turns).toEqual(turns.toSorted((a, b) => (a ?? 0) - (b ?? 0)));
    able.accept();
    able.finish(null);
    expect(able.offers).toHaveLength(4);
  });
});
