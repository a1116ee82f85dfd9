import { expect, it } from "vitest";
import { SINGLE, withCells } from "../../src/cells/topology.ts";
import { openRegistry } from "../../src/registry/registry.ts";
import type { Sql } from "../../src/registry/sql.ts";
import { nodeSql } from "../node-sql.ts";

const INDEXES = `SELECT name FROM sqlite_master WHERE name IN ('tasks_created', 'audit_times')`;

it("CE40 a cell among others reads its lists from indexes, without sorting", () => {
  const inner = nodeSql();
  const plans: string[] = [];
  const sql: Sql = {
    ...inner,
    exec: (query, ...bindings) => {
      if (/^SELECT .* FROM (?:tasks|audit) WHERE/s.test(query))
        for (const { detail } of inner.exec(`EXPLAIN QUERY PLAN ${query}`, ...bindings))
          plans.push(String(detail));
      return inner.exec(query, ...bindings);
    },
  };
  const registry = openRegistry(sql);
  registry.transaction(() => registry.cells.set(0, withCells(SINGLE, 2, 0, 1)));
  plans.length = 0;
  const after = { at: 5, id: "a" };
  registry.tasks.listBehind({ limit: 5, kind: "a", state: "queued", visibleTo: null }, after);
  registry.audit.listBehind({ limit: 5, act: "a" }, { at: 5, seq: 1 });
  expect(plans).toHaveLength(2);
  expect(plans[0]).toContain("tasks_created");
  expect(plans[1]).toContain("audit_times");
});

it("CE2 a mesh of one cell has no such index, and a restored one of several makes it", () => {
  const sql = nodeSql();
  const registry = openRegistry(sql);
  expect(sql.exec(INDEXES)).toEqual([]);
  registry.transaction(() => registry.cells.set(1, withCells(SINGLE, 2, 0, 1)));
  expect(sql.exec(INDEXES)).toHaveLength(2);
  sql.exec(`DROP INDEX tasks_created`);
  openRegistry(sql);
  expect(sql.exec(INDEXES)).toHaveLength(2);
});
