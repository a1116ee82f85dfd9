import { IS_RESTORE_MARK } from "./after-restore.ts";
import { number, text, type Sql, type SqlRow, type SqlValue } from "./sql.ts";

/**
 * Tables that a backup leaves out: a mesh makes their rows again. Sealed records are published again under a new discovery epoch
 * (the secrets of old ones are erased for good when they end, and must not survive in backups), and nothing is left to do
 * for sessions and blobs that the restored mesh does not have.
 */
export const DERIVED_TABLES = [
  "schema_version",
  "discovery_epochs",
  "key_holders",
  "pointers",
  "unsettled_blobs",
  "directory_pages",
  "outbox",
  "remote_peers",
  "reported_peers",
  "silent_cells",
  "event_log",
  "metric_counters",
  "span_queue",
  "alert_deliveries",
] as const;

/** A table of the truth. */
export interface BackupTable {
  readonly name: string;
  /** In alphabetical order, so that a backup does not depend on the order in which migrations added them. */
  readonly columns: readonly string[];
  /** The columns of the primary key, in its order: rows are read in the order of their keys. */
  readonly key: readonly string[];
}

export type BackupRow = readonly SqlValue[];

/** Rows of one table; a table without rows has one page without rows. */
export interface BackupTablePage {
  readonly table: string;
  readonly columns: readonly string[];
  readonly rows: readonly BackupRow[];
}

/** The copies of tables that an export reads (`export-copy.ts`). */
export const EXPORT_PREFIX = "export_";
/** The tables of an import (`import-copy.ts`). */
export const IMPORT_PREFIX = "import_";

/**
 * The tables of the truth, in alphabetical order. Those of SQLite, of the platform, of an export and of an import are none of them:
 * Muster's own names have no such prefix.
 *
 * @param prefix that of the tables which have the rows of an import; their names are given without it
 */
export function backupTables(sql: Sql, prefix = ""): readonly BackupTable[] {
  const derived: readonly string[] = DERIVED_TABLES;
  return tableNames(sql)
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length))
    .filter((name) => !NO_OWN_NAME.test(name) && !derived.includes(name))
    .map((name) => ({ ...tableOf(sql, `${prefix}${name}`), name }));
}

/** Every table of the database, in alphabetical order. */
export const tableNames = (sql: Sql): readonly string[] =>
  sql
    .exec(`SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`)
    .map((row) => text(row, "name"));

const NO_OWN_NAME = new RegExp(`^(?:sqlite_|_|${EXPORT_PREFIX}|${IMPORT_PREFIX})`);

function tableOf(sql: Sql, name: string): BackupTable {
  const columns = sql
    .exec(`SELECT name, pk FROM pragma_table_info('${name}')`)
    .map((row) => ({ name: text(row, "name"), pk: number(row, "pk") }));
  return {
    name,
    columns: columns.map((column) => column.name).toSorted(),
    key: columns
      .filter(({ pk }) => pk > 0)
      .toSorted((a, b) => a.pk - b.pk)
      .map((column) => column.name),
  };
}

/** A page of rows, and the key after which the next one begins; null when there is none. */
export interface BackupPage {
  readonly rows: readonly BackupRow[];
  readonly next: BackupRow | null;
}

/** A page has at most so many rows, and so many bytes unless a single row has more. */
const PAGE_ROWS = 1_000;
const PAGE_BYTES = 512 * 1_024;

/**
 * The rows after a key. How many there are is decided by their lengths, which SQLite reads without reading the rows: however
 * large these are, only one page is in memory.
 */
export const backupPage = (sql: Sql, table: BackupTable, after: BackupRow | null): BackupPage =>
  pageOf(sql, table, after, table.name);

/** The same of a table's copy, whose rows have the order of their keys. */
export const copyPage = (sql: Sql, table: BackupTable, after: BackupRow | null): BackupPage =>
  pageOf(sql, { ...table, key: ["rowid"] }, after, `${EXPORT_PREFIX}${table.name}`);

/** The same of the rows that have arrived of an import. */
export const importPage = (
  sql: Sql,
  table: BackupTable,
  prefix: string,
  after: BackupRow | null,
): BackupPage => pageOf(sql, table, after, `${prefix}${table.name}`);

function pageOf(
  sql: Sql,
  { name, columns, key }: BackupTable,
  after: BackupRow | null,
  source: string,
): BackupPage {
  const keys = key.join(", ");
  const marks = key.map(() => "?").join(", ");
  const from = `FROM ${source} WHERE ${after === null ? "1" : `(${keys}) > (${marks})`}
    ${name === "settings" ? `AND NOT (${IS_RESTORE_MARK})` : ""} ORDER BY ${keys}`;
  const lengths = columns.map((column) => `COALESCE(octet_length(${column}), 0)`).join(" + ");
  const sizes = sql.exec(
    `SELECT ${lengths} AS bytes ${from} LIMIT ${PAGE_ROWS + 1}`,
    ...(after ?? []),
  );
  const count = rowsOfPage(sizes);
  const rows = sql.exec(
    `SELECT ${[...new Set([...columns, ...key])].join(", ")} ${from} LIMIT ${count}`,
    ...(after ?? []),
  );
  const last = rows.at(-1);
  const isLast = last === undefined || count === sizes.length;
  return {
    rows: rows.map((row) => columns.map((column) => row[column] ?? null)),
    next: isLast ? null : key.map((column) => last[column] ?? null),
  };
}

function rowsOfPage(sizes: readonly SqlRow[]): number {
  let bytes = 0;
  for (const [index, row] of sizes.entries()) {
    bytes += number(row, "bytes");
    if (index > 0 && (bytes > PAGE_BYTES || index === PAGE_ROWS)) return index;
  }
  return sizes.length;
}

/** A Durable Object takes so many values in one statement. */
const VALUES_MAX = 100;

/** Adds rows of a backup to an empty table: as many with one statement as its values allow. */
export function restoreRows(
  sql: Sql,
  { name, columns }: Pick<BackupTable, "name" | "columns">,
  rows: readonly BackupRow[],
): void {
  const marks = `(${columns.map(() => "?").join(", ")})`;
  const insert = (count: number): string =>
    `INSERT INTO ${name} (${columns.join(", ")}) VALUES ${Array.from({ length: count }, () => marks).join(", ")}`;
  const atOnce = Math.max(1, Math.floor(VALUES_MAX / columns.length));
  const several = insert(atOnce);
  const single = insert(1);
  let at = 0;
  for (; at + atOnce <= rows.length; at += atOnce)
    sql.exec(several, ...rows.slice(at, at + atOnce).flat());
  for (const row of rows.slice(at)) sql.exec(single, ...row);
}

/** Whether a statement failed because a row breaks a rule of its table. */
export const isConstraintError = (thrown: unknown): boolean =>
  thrown instanceof Error &&
  /constraint failed|SQLITE_CONSTRAINT|datatype mismatch/.test(thrown.message);
