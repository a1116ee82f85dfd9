import { DatabaseSync } from "node:sqlite";
import type { CellHead } from "../../backup/write-backup.ts";
import {
  backupPage,
  backupTables,
  type BackupRow,
  type BackupTable,
  type BackupTablePage,
} from "../../registry/backup-tables.ts";
import { schemaVersionOf } from "../../registry/migrate.ts";
import { text, type Sql } from "../../registry/sql.ts";
import { nodeSql } from "./node-sql.ts";

/** The rows of a mesh as they were at one moment, while another process may go on writing to them. */
export interface Snapshot {
  /** The schema version; of several cells that of cell 0. */
  readonly schema: number;
  /** The numbers of the cells. */
  readonly cells: readonly number[];
  /** The IDs of the results in the store that tasks name. */
  resultIds(): readonly string[];
  tables(): Generator<BackupTablePage | CellHead, void, undefined>;
  close(): void;
}

/** The same of one database. */
export interface DatabaseSnapshot extends Snapshot {
  readonly sql: Sql;
  tables(): Generator<BackupTablePage, void, undefined>;
}

/** Waiting for another process's lock; in WAL mode only recovery after a crash holds one. */
const BUSY_TIMEOUT_MS = 10_000;

/**
 * Opens a snapshot by SQLite's own means: workerd keeps its databases in WAL mode with the locks of the file system, and a read
 * transaction of another process sees the last commit before it began, whatever is written meanwhile. The mesh is not held up; only
 * the log of its database grows until the snapshot is closed.
 */
export function openSnapshot(path: string): DatabaseSnapshot {
  const database = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
  try {
    database.exec("BEGIN");
    const sql = nodeSql(database);
    // The snapshot is that of the first read.
    const schema = schemaVersionOf(sql);
    return {
      schema,
      cells: [0],
      sql,
      resultIds: () => namedResults(sql),
      tables: () => tablePages(sql),
      close: () => database.close(),
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** The results that tasks name in the store. */
export function namedResults(sql: Sql): readonly string[] {
  if (!backupTables(sql).some(({ name }) => name === "task_results")) return [];
  return sql
    .exec(`SELECT blob_id FROM task_results WHERE blob_id IS NOT NULL ORDER BY blob_id`)
    .map((row) => text(row, "blob_id"));
}

/** Every table of the truth in pages. */
export function* tablePages(sql: Sql): Generator<BackupTablePage, void, undefined> {
  for (const table of backupTables(sql)) yield* pagesOf(sql, table);
}

function* pagesOf(sql: Sql, table: BackupTable): Generator<BackupTablePage, void, undefined> {
  let after: BackupRow | null = null;
  do {
    const page = backupPage(sql, table, after);
    yield { table: table.name, columns: table.columns, rows: page.rows };
    after = page.next;
  } while (after !== null);
}
