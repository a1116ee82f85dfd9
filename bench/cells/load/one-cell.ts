import { nodeSql } from "../../../test/node-sql.ts";
import { TestMesh, testKey } from "../../../test/coordinator/mesh.ts";
import type { Sql } from "../../../src/registry/sql.ts";

const TASKS = 200;
/** What a mesh that knows no cells has no statement of: the tables of cells, and the two settings. */
const OF_CELLS = /cell_(?:links|messages)|'(?:topology|cell)'/;

/** What cells add to a mesh of one cell: statements of their tables for a task. There must be none. */
export function measureOneCell() {
  const counts = { all: 0, ofCells: 0 };
  const sql = counted(counts);
  const mesh = new TestMesh({ sql });
  const peer = mesh.join(testKey(1), { kinds: ["work"] });
  const run = (): void => {
    mesh.submit({ kind: "work" });
    peer.accept();
    peer.finish();
  };
  run();
  [counts.all, counts.ofCells] = [0, 0];
  for (let n = 0; n < TASKS; n++) run();
  mesh.registry.measurements.flush();
  return {
    ok: counts.ofCells === 0,
    bar: "a task in a mesh of one cell has no statement that concerns cells",
    statements_a_task: Math.round((100 * counts.all) / TASKS) / 100,
    statements_of_cells: counts.ofCells,
  };
}

function counted(counts: { all: number; ofCells: number }): Sql {
  const sql = nodeSql();
  return {
    ...sql,
    exec(query, ...bindings) {
      counts.all++;
      if (OF_CELLS.test(query) || bindings.some((one) => one === "topology" || one === "cell"))
        counts.ofCells++;
      return sql.exec(query, ...bindings);
    },
  };
}
