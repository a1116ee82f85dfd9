import { HOUR, MINUTE, type Millis } from "../base/clock.ts";
import {
  backupTables,
  copyPage,
  EXPORT_PREFIX,
  type BackupPage,
  type BackupRow,
  type BackupTable,
} from "./backup-tables.ts";
import { text, type Sql } from "./sql.ts";

/** An export that is not read for so long was abandoned. */
export const EXPORT_IDLE_MAX: Millis = 10 * MINUTE;
/** No export takes longer. Until then results in the store are not deleted: the export may have to read them. */
export const EXPORT_TIME_MAX: Millis = HOUR;

/**
 * The copy of all tables that an export reads page by page while the mesh goes on. There is one at a time, and only in this object's
 * lifetime: what is left of one at a wake is removed.
 */
export class ExportCopy {
  readonly #sql: Sql;
  readonly #onChange: () => void;
  #open: OpenExport | null = null;

  /** @param onChange called when an export begins, which has a due time */
  constructor(sql: Sql, onChange: () => void) {
    this.#sql = sql;
    this.#onChange = onChange;
    this.#dropCopies();
  }

  /** Copies every table of the truth, in one transaction. Call it while none is open. */
  begin(id: string, now: Millis): readonly BackupTable[] {
    const tables = backupTables(this.#sql);
    const before = this.#sql.size();
    this.#sql.transaction(() => {
      for (const { name, columns, key } of tables)
        this.#sql.exec(
          `CREATE TABLE ${EXPORT_PREFIX}${name} AS SELECT ${columns.join(", ")} FROM ${name} ORDER BY ${key.join(", ")}`,
        );
    });
    const bytes = this.#sql.size() - before;
    this.#open = { id, tables, begunAt: now, readAt: now, bytes };
    this.#onChange();
    return tables;
  }

  /** A page of a table's copy; null if this export is not open or has no such table. */
  page(id: string, name: string, after: BackupRow | null, now: Millis): BackupPage | null {
    const table = this.#open?.tables.find((each) => each.name === name);
    if (this.#open?.id !== id || table === undefined) return null;
    this.#open = { ...this.#open, readAt: now };
    return copyPage(this.#sql, table, after);
  }

  /** Removes the copy of this export, or of any if `id` is null. */
  end(id: string | null): void {
    if (this.#open === null || (id !== null && this.#open.id !== id)) return;
    this.#open = null;
    this.#dropCopies();
  }

  /** When the open export ends unless it is read again; null while none is open. */
  get endsAt(): Millis | null {
    if (this.#open === null) return null;
    const { begunAt, readAt } = this.#open;
    return Math.min(readAt + EXPORT_IDLE_MAX, begunAt + EXPORT_TIME_MAX);
  }

  /** Until when nothing that the open export may name is deleted from the store; null while none is open. */
  get keepsResultsUntil(): Millis | null {
    return this.#open === null ? null : this.#open.begunAt + EXPORT_TIME_MAX;
  }

  /** Bytes of the copy. They are no use of the mesh's storage, and end soon. */
  get bytes(): number {
    return this.#open?.bytes ?? 0;
  }

  #dropCopies(): void {
    const names = this.#sql
      .exec(`SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '${EXPORT_PREFIX}%'`)
      .map((row) => text(row, "name"))
      .filter((name) => name.startsWith(EXPORT_PREFIX));
    for (const name of names) this.#sql.exec(`DROP TABLE ${name}`);
  }
}

interface OpenExport {
  readonly id: string;
  readonly tables: readonly BackupTable[];
  readonly begunAt: Millis;
  readonly readAt: Millis;
  readonly bytes: number;
}
