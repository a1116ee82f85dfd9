import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { openRegistry } from "../../src/registry/registry.ts";
import type { Sql } from "../../src/registry/sql.ts";
import { nodeSql } from "../node-sql.ts";

test("AS86 acts on tasks that ended without success, and their failures, are read from one index without any row", () => {
  const database = nodeSql(new DatabaseSync(":memory:"));
  const plans: string[][] = [];
  const sql: Sql = {
    ...database,
    exec(query, ...bindings) {
      if (query.includes("tasks_unsuccessful") && query.startsWith("SELECT"))
        plans.push(
          database
            .exec(`EXPLAIN QUERY PLAN ${query}`, ...bindings)
            .map(({ detail }) => String(detail)),
        );
      return database.exec(query, ...bindings);
    },
  };
  const { taskSelection } = openRegistry(sql);
  const filter = { states: ["failed"], owners: ["me"], errorContains: "disk" } as const;
  taskSelection.page("unsuccessful", {
    filter,
    after: { at: 1, seq: 2 },
    until: 3,
    limit: 4,
    readMax: 5,
  });
  taskSelection.failures(filter);
  expect(plans).toHaveLength(4);
  for (const plan of plans) {
    const reads = plan.filter((detail) => /\b(?:SCAN|SEARCH) tasks\b/.test(detail));
    expect(reads).toHaveLength(1);
    expect(reads[0]).toMatch(/SEARCH tasks USING COVERING INDEX tasks_unsuccessful \(ended_at>/);
  }
});
