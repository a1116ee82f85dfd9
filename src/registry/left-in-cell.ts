import { number, type Sql, type SqlRow } from "./sql.ts";

/** What a cell has that draining it has to wait for, or moves. */
export interface LeftInCell {
  /** Rows about keys that belong to other cells, and peers that those have not confirmed to have. */
  readonly peers: number;
  /** Tasks that have not ended. */
  readonly openTasks: number;
  /** These are kept until their retention is over. */
  readonly endedTasks: number;
  /** Idempotency keys. */
  readonly keys: number;
  /** Where tasks have gone that were here. */
  readonly forwards: number;
  /** Results that peers began to upload. */
  readonly uploads: number;
  /** Webhook deliveries. */
  readonly deliveries: number;
  /** Entries of the audit log, which cell 0 gets. */
  readonly audit: number;
  /** Messages that other cells have not taken. */
  readonly messages: number;
}

const COUNTS = {
  peers: ["peers", "allowlist", "denylist", "tombstones", "aliases", "departed_peers"],
  openTasks: ["tasks WHERE ended_at IS NULL"],
  endedTasks: ["tasks WHERE ended_at IS NOT NULL"],
  keys: ["idempotency"],
  forwards: ["task_forwards"],
  uploads: ["result_uploads"],
  deliveries: ["webhook_deliveries"],
  audit: ["audit"],
  messages: ["cell_messages"],
} as const;

export function leftInCell(sql: Sql): LeftInCell {
  const count = (sources: readonly string[]): number => {
    const each = sources.map((source) => `(SELECT COUNT(*) FROM ${source})`);
    return number(sql.exec(`SELECT ${each.join(" + ")} AS count`)[0] as SqlRow, "count");
  };
  return {
    peers: count(COUNTS.peers),
    openTasks: count(COUNTS.openTasks),
    endedTasks: count(COUNTS.endedTasks),
    keys: count(COUNTS.keys),
    forwards: count(COUNTS.forwards),
    uploads: count(COUNTS.uploads),
    deliveries: count(COUNTS.deliveries),
    audit: count(COUNTS.audit),
    messages: count(COUNTS.messages),
  };
}
