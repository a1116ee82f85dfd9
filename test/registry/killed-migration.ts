import { DatabaseSync } from "node:sqlite";
import { migrate } from "../../src/registry/migrate.ts";
import { nodeSql } from "../node-sql.ts";

/** Migrates a database, and is killed before a statement: `node killed-migration.ts FILE STATEMENTS`. */
const [, , path = "", statements = ""] = process.argv;
const database = new DatabaseSync(path);
database.exec("PRAGMA journal_mode = WAL");
const sql = nodeSql(database);
let left = Number(statements);
migrate({
  ...sql,
  exec(query, ...bindings) {
    if (!query.startsWith("SELECT") && --left < 0) process.kill(process.pid, "SIGKILL");
    return sql.exec(query, ...bindings);
  },
});
