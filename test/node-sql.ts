import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Sql, SqlRow } from "../src/registry/sql.ts";

/** The registry's SQL port on Node's built-in SQLite. */
export function nodeSql(database: DatabaseSync = new DatabaseSync(":memory:")): Sql {
  const statements = new Map<string, StatementSync>();
  const prepared = (query: string): StatementSync => {
    const statement = statements.get(query) ?? database.prepare(query);
    statements.set(query, statement);
    return statement;
  };
  return {
    exec: (query, ...bindings) => prepared(query).all(...bindings) as SqlRow[],
    transaction(body) {
      database.exec("BEGIN IMMEDIATE");
      try {
        const value = body();
        database.exec("COMMIT");
        return value;
      } catch (thrown) {
        database.exec("ROLLBACK");
        throw thrown;
      }
    },
  };
}
