import type { Sql } from "./sql.ts";

/** The tables whose rows become due at a time (`coordinator/kernel/job.ts`), by their names in the registry. */
export type TableName =
  | "peers"
  | "settings"
  | "room"
  | "lifetimes"
  | "tasks"
  | "kindSettings"
  | "resultUploads"
  | "discoveryEpochs"
  | "pointers"
  | "copies"
  | "unsettledBlobs"
  | "outbox"
  | "cellMessages"
  | "peerMoves"
  | "reportedPeers"
  | "callbacks"
  | "endedOwners"
  | "circuits"
  | "correlatedFailures"
  | "dials"
  | "apiTokens"
  | "exportCopy"
  | "importCopy"
  | "spanQueue"
  | "alerts"
  | "alertDeliveries";

/** Which tables were written since `clear`, so that only the due times that may have changed are read again. */
export class TableChanges {
  readonly #written = new Set<TableName>();

  /** The same database, for the statements of one table: what they write counts as a change of that table. */
  watch(sql: Sql, table: TableName): Sql {
    return {
      exec: (query, ...bindings) => {
        if (!isRead(query)) this.#written.add(table);
        return sql.exec(query, ...bindings);
      },
      transaction: (body) => sql.transaction(body),
      size: () => sql.size(),
    };
  }

  /** Counts a change that is written later as one that is written now. */
  mark(table: TableName): void {
    this.#written.add(table);
  }

  /** Whether any of these tables was written. */
  any(tables: readonly TableName[]): boolean {
    return tables.some((table) => this.#written.has(table));
  }

  clear(): void {
    this.#written.clear();
  }
}

/** Whether a statement only reads: every such statement of the registry begins with SELECT. */
const isRead = (query: string): boolean => query.startsWith("SELECT");
