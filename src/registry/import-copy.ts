import { DAY, HOUR, type Millis } from "../base/clock.ts";
import { markRestored } from "./after-restore.ts";
import {
  backupTables,
  IMPORT_PREFIX,
  importPage,
  restoreRows,
  tableNames,
  type BackupPage,
  type BackupRow,
  type BackupTable,
} from "./backup-tables.ts";
import { migrate } from "./migrate.ts";
import { number, numberOrNull, text, textOrNull, type Sql, type SqlRow } from "./sql.ts";

/** An import that got no part for so long was abandoned. */
const IMPORT_IDLE_MAX: Millis = HOUR;
/** No import takes longer. */
const IMPORT_TIME_MAX: Millis = DAY;

/** Tables whose rows do not make a mesh used: it writes them by itself, or about callers that it refused. */
const ROWS_OF_AN_EMPTY_MESH: ReadonlySet<string> = new Set([
  "settings",
  "audit",
  "kv_shares",
  "kv_writes",
  "submitters",
]);

/** An import as it is stored. */
export interface StoredImport {
  readonly id: string;
  /** What the file says of itself, as JSON. The same file continues its import. */
  readonly header: string;
  readonly schema: number;
  readonly begunAt: Millis;
  readonly usedAt: Millis;
  /** The state hash of what was committed; null before. */
  readonly committed: string | null;
}

/** A part that arrived: its digest, and the result that it was. */
export interface ImportPart {
  readonly digest: string;
  readonly result: string | null;
}

/**
 * A backup that arrives in parts. Its rows are in tables of their own, which nothing else reads, until all of them become those of the
 * mesh in one transaction. It is stored, so it goes on after a restart of the object. There is one at a time.
 */
export class ImportCopy {
  readonly #sql: Sql;
  readonly #onChange: () => void;
  #current: StoredImport | null = null;
  #isChanged = false;
  /** The tables of an import, which stay the same until its end. */
  #tables: { readonly id: string; readonly tables: readonly BackupTable[] } | null = null;

  /** @param onChange called when the time at which the import ends has changed */
  constructor(sql: Sql, onChange: () => void) {
    this.#sql = sql;
    this.#onChange = onChange;
    this.#read();
  }

  /** The import that is under way, or the last that was committed; null if there was none. */
  get current(): StoredImport | null {
    return this.#current;
  }

  /** Whether an import is under way: the mesh takes nothing else until its end. */
  get isOpen(): boolean {
    return this.#current !== null && this.#current.committed === null;
  }

  /** When the open import ends unless it gets another part; null while none is open. */
  get endsAt(): Millis | null {
    if (this.#current === null || !this.isOpen) return null;
    const { usedAt, begunAt } = this.#current;
    return Math.min(usedAt + IMPORT_IDLE_MAX, begunAt + IMPORT_TIME_MAX);
  }

  /** A table of the truth that has rows which only a used mesh has; null if the mesh is empty. */
  usedTable(): string | null {
    return (
      backupTables(this.#sql).find(
        ({ name }) =>
          !ROWS_OF_AN_EMPTY_MESH.has(name) &&
          this.#sql.exec(`SELECT 1 FROM ${name} LIMIT 1`).length > 0,
      )?.name ?? null
    );
  }

  /** Makes an empty table for each table of the truth of a schema version. Call it while none is open, on an empty mesh. */
  begin(id: string, header: string, schema: number, now: Millis): void {
    this.#dropTables();
    const tables = tablesOfVersion(this.#sql, schema);
    for (const { definition } of tables) this.#sql.exec(definition);
    this.#sql.exec(
      `CREATE TABLE ${IMPORT_PREFIX}state (id TEXT NOT NULL, header TEXT NOT NULL, schema INTEGER NOT NULL, begun_at INTEGER NOT NULL, used_at INTEGER NOT NULL, committed TEXT)`,
    );
    this.#sql.exec(
      `CREATE TABLE ${IMPORT_PREFIX}parts (number INTEGER PRIMARY KEY, digest TEXT NOT NULL, result TEXT)`,
    );
    this.#sql.exec(
      `INSERT INTO ${IMPORT_PREFIX}state (id, header, schema, begun_at, used_at) VALUES (?, ?, ?, ?, ?)`,
      id,
      header,
      schema,
      now,
      now,
    );
    this.#changed();
  }

  /** How many parts have arrived. They arrive in their order. */
  partCount(): number {
    if (!this.isOpen) return 0;
    const [row] = this.#sql.exec(`SELECT MAX(number) AS parts FROM ${IMPORT_PREFIX}parts`);
    return numberOrNull(row as SqlRow, "parts") ?? 0;
  }

  part(count: number): ImportPart | null {
    const [row] = this.#sql.exec(
      `SELECT digest, result FROM ${IMPORT_PREFIX}parts WHERE number = ?`,
      count,
    );
    return row === undefined
      ? null
      : { digest: text(row, "digest"), result: textOrNull(row, "result") };
  }

  /** The results that arrived. */
  results(): readonly string[] {
    return this.#sql
      .exec(`SELECT result FROM ${IMPORT_PREFIX}parts WHERE result IS NOT NULL ORDER BY number`)
      .map((row) => text(row, "result"));
  }

  addPart(count: number, { digest, result }: ImportPart, now: Millis): void {
    this.#sql.exec(
      `INSERT INTO ${IMPORT_PREFIX}parts (number, digest, result) VALUES (?, ?, ?)`,
      count,
      digest,
      result,
    );
    this.#sql.exec(`UPDATE ${IMPORT_PREFIX}state SET used_at = ?`, now);
    this.#changed();
  }

  /** The tables that the import fills, in the order of their names. */
  tables(): readonly BackupTable[] {
    const id = this.#current?.id ?? "";
    if (this.#tables?.id !== id)
      this.#tables = { id, tables: backupTables(this.#sql, ROWS_PREFIX) };
    return this.#tables.tables;
  }

  addRows(table: BackupTable, rows: readonly BackupRow[]): void {
    restoreRows(this.#sql, { ...table, name: `${ROWS_PREFIX}${table.name}` }, rows);
  }

  page(name: string, after: BackupRow | null): BackupPage | null {
    const table = this.tables().find((each) => each.name === name);
    return table === undefined ? null : importPage(this.#sql, table, ROWS_PREFIX, after);
  }

  /** Removes the import and what it has. */
  end(): void {
    this.#dropTables();
    this.#changed();
  }

  /**
   * Puts the rows of the import in the place of the mesh's own, in one transaction. The database then has the schema version of the
   * backup, and everything that was read from it before is wrong: the object must be opened anew, which migrates the rows and
   * continues after the restore.
   */
  commit(stateHash: string): void {
    const current = this.#current;
    if (current === null || !this.isOpen) throw new Error("no import is open");
    const sql = this.#sql;
    sql.transaction(() => {
      const filled = this.tables();
      dropOwnTables(sql);
      migrate(sql, current.schema);
      for (const { name } of backupTables(sql)) sql.exec(`DELETE FROM ${name}`);
      for (const { name, columns } of filled) {
        const list = columns.join(", ");
        sql.exec(`INSERT INTO ${name} (${list}) SELECT ${list} FROM ${ROWS_PREFIX}${name}`);
        sql.exec(`DROP TABLE ${ROWS_PREFIX}${name}`);
      }
      sql.exec(`DELETE FROM ${IMPORT_PREFIX}parts`);
      sql.exec(`UPDATE ${IMPORT_PREFIX}state SET committed = ?`, stateHash);
      markRestored(sql);
    });
  }

  /** For the registry's transactions: what is in memory follows the rows when they are rolled back. */
  readonly kept = {
    begin: (): void => {},
    commit: (): void => {},
    rollback: (): void => {
      if (this.#isChanged) this.#read();
    },
  };

  #changed(): void {
    this.#isChanged = true;
    this.#read();
    this.#onChange();
  }

  #read(): void {
    const isThere = this.#sql.exec(
      `SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '${IMPORT_PREFIX}state'`,
    );
    const [row] = isThere.length === 0 ? [] : this.#sql.exec(`SELECT * FROM ${IMPORT_PREFIX}state`);
    this.#current =
      row === undefined
        ? null
        : {
            id: text(row, "id"),
            header: text(row, "header"),
            schema: number(row, "schema"),
            begunAt: number(row, "begun_at"),
            usedAt: numberOrNull(row, "used_at") ?? 0,
            committed: textOrNull(row, "committed"),
          };
  }

  #dropTables(): void {
    for (const name of tableNames(this.#sql))
      if (name.startsWith(IMPORT_PREFIX)) this.#sql.exec(`DROP TABLE ${name}`);
  }
}

/** The rows of table `x` are in `import_of_x`. */
const ROWS_PREFIX = `${IMPORT_PREFIX}of_`;

/** Removes every table of Muster. Those of SQLite, of the platform and of imports stay. */
function dropOwnTables(sql: Sql): void {
  for (const name of tableNames(sql))
    if (!/^(?:sqlite_|_)/.test(name) && !name.startsWith(IMPORT_PREFIX))
      sql.exec(`DROP TABLE ${name}`);
}

/** Carries the definitions out of a transaction that is undone. */
class Definitions extends Error {
  readonly tables: readonly { readonly definition: string }[];
  constructor(tables: Definitions["tables"]) {
    super("undone");
    this.tables = tables;
  }
}

/**
 * The statements that make a table for the rows of each table of a schema version: with the same columns, types and key, and
 * nothing else of it. Only this Muster's own migrations say what they are.
 */
function tablesOfVersion(sql: Sql, schema: number): Definitions["tables"] {
  try {
    return sql.transaction(() => {
      dropOwnTables(sql);
      migrate(sql, schema);
      throw new Definitions(
        backupTables(sql).map((table) => ({ definition: definitionOf(sql, table) })),
      );
    });
  } catch (thrown) {
    if (thrown instanceof Definitions) return thrown.tables;
    throw thrown;
  }
}

function definitionOf(sql: Sql, { name, key }: BackupTable): string {
  const columns = sql
    .exec(`SELECT name, type FROM pragma_table_info('${name}')`)
    .map((row) => `${text(row, "name")} ${text(row, "type")}`);
  return `CREATE TABLE ${ROWS_PREFIX}${name} (${[...columns, `PRIMARY KEY (${key.join(", ")})`].join(", ")})`;
}
