import { MIGRATIONS } from "./migrations.ts";
import { NEW_SCHEMA } from "./new-schema.ts";
import { number, type Sql } from "./sql.ts";

/** The schema version of this Muster: the number of migrations that its databases have run. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/**
 * Brings a database of any age up to date; run at every wake. It is one transaction: a process that ends in the middle leaves the
 * database as it was. A database of a newer Muster is left as it is: on Cloudflare a deploy that was rolled back goes on with it. A
 * folder of a newer one is refused where the mesh starts.
 *
 * @param to the schema version to stop at, for a backup of an older version
 */
export function migrate(sql: Sql, to = SCHEMA_VERSION): void {
  const from = schemaVersionOf(sql);
  if (from >= to) return;
  sql.transaction(() => {
    sql.exec(`CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)`);
    // Every migration that alters a table reads the whole schema again.
    const isNew = from === 0 && to === SCHEMA_VERSION;
    for (const statement of isNew ? NEW_SCHEMA : MIGRATIONS.slice(from, to).flat())
      sql.exec(statement);
    sql.exec(`DELETE FROM schema_version`);
    sql.exec(`INSERT INTO schema_version (version) VALUES (?)`, to);
  });
}

/** The number of migrations that a database has run; 0 for an empty one. Writes nothing. */
export function schemaVersionOf(sql: Sql): number {
  if (sql.exec(`SELECT 1 FROM sqlite_master WHERE name = 'schema_version'`).length === 0) return 0;
  const row = sql.exec(`SELECT version FROM schema_version`)[0];
  return row === undefined ? 0 : number(row, "version");
}
