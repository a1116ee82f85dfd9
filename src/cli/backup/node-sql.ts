import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Sql, SqlRow } from "../../registry/sql.ts";

/** The registry's SQL port on Node's built-in SQLite. */
export function nodeSql(database: DatabaseSync = new DatabaseSync(":memory:")): Sql {
  const statements = new Map<string, StatementSync>();
  const prepared = (query: string): StatementSync => {
    const statement = statements.get(query) ?? database.prepare(query);
    statements.set(query, statement);
    return statement;
  };
  let depth = 0;
  return {
    exec: (query, ...bindings) => prepared(query).all(...bindings) as SqlRow[],
    size() {
      const [row] = prepared(
        `SELECT ((SELECT * FROM pragma_page_count) - (SELECT * FROM pragma_freelist_count)) * (SELECT * FROM pragma_page_size) AS bytes`,
      ).all();
      return Number(row?.["bytes"]);
    },
    transaction(body) {
      const { begin, commit, rollback } = statementsAt(depth);
      prepared(begin).run();
      depth++;
      try {
        const value = body();
        prepared(commit).run();
        return value;
      } catch (thrown) {
        // A full database may have undone the whole transaction already.
        if (database.isTransaction) database.exec(rollback);
        throw thrown;
      } finally {
        depth--;
      }
    },
  };
}

const statementsAt = (level: number) =>
  level === 0
    ? { begin: "BEGIN IMMEDIATE", commit: "COMMIT", rollback: "ROLLBACK" }
    : {
        begin: `SAVEPOINT level_${level}`,
        commit: `RELEASE level_${level}`,
        rollback: `ROLLBACK TO level_${level}; RELEASE level_${level}`,
      };
