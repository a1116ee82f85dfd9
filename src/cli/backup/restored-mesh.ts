import { DatabaseSync } from "node:sqlite";
import { BackupError, type Manifest } from "../../backup/format.ts";
import type { BackupTarget } from "../../backup/read-backup.ts";
import type { CellHead } from "../../backup/write-backup.ts";
import { markRestored } from "../../registry/after-restore.ts";
import {
  backupTables,
  isConstraintError,
  restoreRows,
  type BackupTable,
  type BackupTablePage,
} from "../../registry/backup-tables.ts";
import { migrate, SCHEMA_VERSION } from "../../registry/migrate.ts";
import type { Sql } from "../../registry/sql.ts";
import { namedResults, tablePages } from "./database-file.ts";
import type { MeshParts } from "./mesh-parts.ts";
import { nodeSql } from "./node-sql.ts";

/** Writes the parts of a backup into new databases, one for each cell, and into an empty store. */
export class RestoredMesh implements BackupTarget {
  readonly #parts: MeshParts;
  readonly #cells: RestoredDatabase[] = [];
  #muster = "";

  constructor(parts: MeshParts) {
    this.#parts = parts;
  }

  manifest({ schema, muster }: Manifest): void {
    this.#muster = muster;
    this.#begin(0, schema);
  }

  result(id: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    return this.#parts.results.write(id, content);
  }

  cell(cell: number, schema: number): void {
    this.#current.requireWhole();
    this.#begin(cell, schema);
  }

  table(name: string, columns: readonly string[]): void {
    this.#current.table(name, columns);
  }

  rows(rows: Parameters<BackupTarget["rows"]>[0]): void {
    this.#current.rows(rows);
  }

  /** After the last row. */
  commit(): void {
    this.#current.requireWhole();
    for (const each of this.#cells) each.commit();
  }

  *pages(): Generator<BackupTablePage | CellHead, void, undefined> {
    for (const { cell, schema, sql } of this.#cells) {
      if (cell > 0) yield { cell, schema };
      yield* tablePages(sql);
    }
  }

  resultIds = (): readonly string[] => this.#cells.flatMap(({ sql }) => namedResults(sql));

  /** Each cell continues by itself after the restore. */
  finish(): void {
    for (const each of this.#cells) each.finish();
  }

  close(): void {
    for (const each of this.#cells) each.close();
  }

  get #current(): RestoredDatabase {
    return this.#cells.at(-1) as RestoredDatabase;
  }

  #begin(cell: number, schema: number): void {
    if (schema > SCHEMA_VERSION)
      throw new BackupError(
        "backup_newer",
        `this backup was made by Muster ${this.#muster} (schema version ${schema}); this Muster knows schemas up to ${SCHEMA_VERSION}: use a newer Muster`,
      );
    this.#cells.push(new RestoredDatabase(this.#parts.databaseOf(cell), { cell, schema }));
  }
}

/** A new database in a schema version, with one transaction for all its rows. Only known tables and columns reach a statement. */
class RestoredDatabase {
  readonly cell: number;
  /** The version of the backup: the mesh migrates the database when it starts. */
  readonly schema: number;
  readonly sql: Sql;
  readonly #database: DatabaseSync;
  readonly #tables: readonly BackupTable[];
  #filled = 0;

  constructor(path: string, { cell, schema }: CellHead) {
    this.cell = cell;
    this.schema = schema;
    this.#database = new DatabaseSync(path);
    // The file is not in use before it has its place; `finish` syncs it.
    this.#database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF");
    this.sql = nodeSql(this.#database);
    migrate(this.sql, schema);
    this.#database.exec("BEGIN");
    this.#tables = backupTables(this.sql);
  }

  table(name: string, columns: readonly string[]): void {
    const next = this.#tables[this.#filled];
    if (next?.name !== name || next.columns.join() !== columns.join())
      throw new BackupError(
        "backup_damaged",
        `the backup is damaged: table ${name} does not belong to its schema version, or not at this place`,
      );
    this.#filled++;
  }

  rows(rows: Parameters<BackupTarget["rows"]>[0]): void {
    const table = this.#tables[this.#filled - 1] as BackupTable;
    try {
      restoreRows(this.sql, table, rows);
    } catch (thrown) {
      if (!isConstraintError(thrown)) throw thrown;
      throw new BackupError(
        "backup_damaged",
        `the backup is damaged: a row does not fit table ${table.name}, or is there twice`,
      );
    }
  }

  requireWhole(): void {
    const missing = this.#tables[this.#filled];
    if (missing !== undefined)
      throw new BackupError("backup_damaged", `the backup lacks table ${missing.name}`);
  }

  commit(): void {
    this.#database.exec("COMMIT");
  }

  finish(): void {
    markRestored(this.sql);
    this.#database.exec("PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE)");
  }

  close(): void {
    this.#database.close();
  }
}
