import type { SqlRow, SqlValue } from "./sql.ts";

/** The tables that hold facts of the whole mesh: cell 0 owns their rows, and the other cells have copies. */
export type FactTable =
  | "settings"
  | "api_tokens"
  | "webhook_sources"
  | "kind_settings"
  | "callback_rotations"
  | "discovery_epochs"
  | "ended_owners";

interface FactColumns {
  /** The columns of the primary key. */
  readonly key: readonly string[];
  /** The other columns that are copied. */
  readonly copied: readonly string[];
  /** Columns that each cell has for itself, with the value of a new row. Those of a new row that the schema gives are null here. */
  readonly own: Readonly<Record<string, SqlValue>>;
  /** Which rows are facts, in SQL; all of them without it. */
  readonly only?: string;
}

/** In the order in which a cell learns them: what an owner set in motion ends once its source is gone. */
export const FACT_TABLES: Readonly<Record<FactTable, FactColumns>> = {
  settings: { key: ["key"], copied: ["value"], own: {}, only: "key = 'auth_mode'" },
  api_tokens: {
    key: ["id"],
    copied: [
      "hash",
      "label",
      "scope",
      "created_at",
      "revoked_at",
      "weight",
      "max_waiting",
      "max_running",
      "max_priority",
      "expires_at",
      "expired",
      "max_bytes",
    ],
    own: { last_used_at: null },
  },
  webhook_sources: {
    key: ["name"],
    copied: [
      "scheme",
      "sealed_secret",
      "mapping",
      "created_at",
      "signature",
      "filters",
      "revision",
      "id",
      "max_bytes",
      "max_body_bytes",
      "identity",
    ],
    own: { deliveries: 0 },
  },
  kind_settings: {
    key: ["kind"],
    copied: ["attempt_timeout_ms", "concurrency", "rate_per_second", "rate_burst"],
    own: {},
  },
  callback_rotations: {
    key: ["owner", "origin"],
    copied: ["version", "rotated_at", "previous_until"],
    own: {},
  },
  discovery_epochs: {
    key: ["epoch"],
    copied: ["sealed", "public_key", "opened_at", "closed_at", "expelled", "expires_at"],
    own: {},
  },
  ended_owners: {
    key: ["owner"],
    copied: ["ended_at"],
    own: { tasks: 0, callbacks: 0, place_due_at: 0, place_task_id: "", done_at: null },
    // What a peer set in motion is in the cell of the peer: an ID of 32 characters.
    only: "(length(owner) <> 32 OR owner LIKE 'webhook:%')",
  },
};

export const FACT_TABLE_NAMES = Object.keys(FACT_TABLES) as readonly FactTable[];

export type FactKey = readonly (string | number)[];

/** A row as it is after a change; null if it was removed. */
export interface FactChange {
  readonly table: FactTable;
  readonly key: FactKey;
  readonly row: SqlRow | null;
}

/** Where the next page of all facts begins: after a key of a table. */
export interface FactPlace {
  readonly table: FactTable;
  readonly after: FactKey | null;
}
