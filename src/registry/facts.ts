import {
  FACT_TABLE_NAMES,
  FACT_TABLES,
  type FactChange,
  type FactKey,
  type FactPlace,
  type FactTable,
} from "./fact-tables.ts";
import type { Cells } from "./cells.ts";
import { setSetting } from "./setting-row.ts";
import { insertRow, text, type Sql, type SqlRow } from "./sql.ts";
import type { TableChanges } from "./table-changes.ts";

/** What a command has changed in the facts of the mesh. */
export interface NotedFacts {
  readonly changes: readonly FactChange[];
  /** Whether a right was taken away: then all cells have to confirm it. */
  readonly isTightened: boolean;
}

const NOTHING_NOTED: NotedFacts = { changes: [], isTightened: false };
/** Rows of a page. */
const PAGE_ROWS = 500;

export interface FactsPage {
  readonly changes: readonly FactChange[];
  /** Null on the last page. */
  readonly next: FactPlace | null;
}

/** The databases of the tables whose changes are noted for due times. */
export const watchFacts = (changes: TableChanges, sql: Sql, lasting: Sql) => ({
  settings: changes.watch(sql, "settings"),
  api_tokens: changes.watch(lasting, "apiTokens"),
  kind_settings: changes.watch(sql, "kindSettings"),
  discovery_epochs: changes.watch(sql, "discoveryEpochs"),
});

/**
 * The facts of the mesh in this cell: which rows a command has changed in cell 0, rows as they are sent to other cells, and how much this
 * cell knows of them. The version grows with each change, so of two states one is newer. In a mesh of one cell nothing is noted.
 */
export class Facts {
  readonly #sql: Sql;
  readonly #watched: Partial<Record<FactTable, Sql>>;
  readonly #cells: Cells;
  readonly #noted = new Map<string, { readonly table: FactTable; readonly key: FactKey }>();
  #isTightened = false;
  #version: number | null | undefined;
  #neededVersion = 0;

  /** @param watched see `watchFacts` */
  constructor(sql: Sql, watched: Partial<Record<FactTable, Sql>>, cells: Cells) {
    this.#sql = sql;
    this.#watched = watched;
    this.#cells = cells;
  }

  /** A row of a fact was written or removed. */
  note(table: FactTable, key: FactKey): void {
    if (this.#cells.isSingle || this.#cells.own !== 0) return;
    this.#noted.set(`${table} ${JSON.stringify(key)}`, { table, key });
  }

  /** The same, and whoever relied on the row has lost a right. */
  noteLoss(table: FactTable, key: FactKey): void {
    this.note(table, key);
    this.#isTightened = this.#noted.size > 0;
  }

  /** What was noted since the last call, with the rows as they are now. */
  take(): NotedFacts {
    if (this.#noted.size === 0) return NOTHING_NOTED;
    const changes = [...this.#noted.values()].map(({ table, key }) => ({
      table,
      key,
      row: this.read(table, key),
    }));
    const noted = { changes, isTightened: this.#isTightened };
    this.#noted.clear();
    this.#isTightened = false;
    return noted;
  }

  /** The version of what this cell knows; null if it has to learn everything. Cell 0 knows everything. */
  get version(): number | null {
    if (this.#version === undefined) {
      const [row] = this.#sql.exec(`SELECT value FROM settings WHERE key = 'facts_version'`);
      this.#version = row === undefined ? null : Number(text(row, "value"));
    }
    return this.#version ?? (this.#cells.own === 0 ? 0 : null);
  }

  setVersion(version: number): void {
    setSetting(this.#sql, "facts_version", String(version));
    this.#version = version;
  }

  /** A change of this version can't be applied here: the cell learns everything anew, up to that version at least. */
  forgetAll(neededVersion: number): void {
    this.#sql.exec(`DELETE FROM settings WHERE key = 'facts_version'`);
    this.#version = null;
    this.#neededVersion = Math.max(this.#neededVersion, neededVersion);
  }

  /** The lowest version of all facts that this cell may learn: it has left out a change of that version. */
  get neededVersion(): number {
    return this.#neededVersion;
  }

  read(table: FactTable, key: FactKey): SqlRow | null {
    const { key: names, copied } = FACT_TABLES[table];
    const [row] = this.#sql.exec(
      `SELECT ${[...names, ...copied].join(", ")} FROM ${table} WHERE ${where(table)}`,
      ...key,
    );
    return row ?? null;
  }

  /** Writes a row of another cell as it is, or removes it. The columns that each cell has for itself keep their values. */
  write({ table, key, row }: FactChange): void {
    const sql = this.#watched[table] ?? this.#sql;
    if (row === null) return void sql.exec(`DELETE FROM ${table} WHERE ${where(table)}`, ...key);
    const { key: names, copied, own } = FACT_TABLES[table];
    // During a deploy the other cell may have columns that this one does not have yet.
    const columns = [...names, ...copied].filter((name) => row[name] !== undefined);
    const values = Object.fromEntries(columns.map((name) => [name, row[name] ?? null]));
    const changed = copied.filter((name) => columns.includes(name));
    insertRow(
      sql,
      table,
      { ...own, ...values },
      `ON CONFLICT (${names.join(", ")}) DO UPDATE SET ${changed.map((name) => `${name} = excluded.${name}`).join(", ")}`,
    );
  }

  /** All facts, page by page. */
  page(from: FactPlace | null): FactsPage {
    const { table, after } = from ?? { table: FACT_TABLE_NAMES[0] as FactTable, after: null };
    const { key: names, copied, only = "1" } = FACT_TABLES[table];
    const keys = names.join(", ");
    const marks = names.map(() => "?").join(", ");
    const rows = this.#sql.exec(
      `SELECT ${[...names, ...copied].join(", ")} FROM ${table}
       WHERE ${only} ${after === null ? "" : `AND (${keys}) > (${marks})`} ORDER BY ${keys} LIMIT ${PAGE_ROWS}`,
      ...(after ?? []),
    );
    const changes = rows.map((row) => ({ table, key: keyOf(table, row), row }));
    const last = changes.at(-1);
    const following = FACT_TABLE_NAMES[FACT_TABLE_NAMES.indexOf(table) + 1];
    const isFull = changes.length === PAGE_ROWS && last !== undefined;
    if (isFull) return { changes, next: { table, after: last.key } };
    return { changes, next: following === undefined ? null : { table: following, after: null } };
  }

  /** The keys of all rows that this cell has. */
  keys(table: FactTable): readonly FactKey[] {
    const { key, only = "1" } = FACT_TABLES[table];
    return this.#sql
      .exec(`SELECT ${key.join(", ")} FROM ${table} WHERE ${only}`)
      .map((row) => keyOf(table, row));
  }

  begin(): void {}
  commit(): void {}
  rollback(): void {
    this.#version = undefined;
  }
}

const where = (table: FactTable): string =>
  FACT_TABLES[table].key.map((name) => `${name} = ?`).join(" AND ");

const keyOf = (table: FactTable, row: SqlRow): FactKey =>
  FACT_TABLES[table].key.map((name) => row[name] as string | number);
