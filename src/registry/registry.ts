import { allowlistTable, denylistTable } from "./allowlist.ts";
import { attemptsTable } from "./attempts.ts";
import { idempotencyTable } from "./idempotency.ts";
import { migrate } from "./migrations.ts";
import { outboxTable } from "./outbox.ts";
import { peersTable } from "./peers.ts";
import { pointersTable } from "./pointers.ts";
import { settingsTable } from "./settings.ts";
import type { Sql } from "./sql.ts";
import { tasksTable } from "./tasks.ts";
import { webhookSourcesTable } from "./webhook-sources.ts";

/** The coordinator's record of everything: one object per table, all on one database. */
export type Registry = ReturnType<typeof openRegistry>;

export function openRegistry(sql: Sql) {
  migrate(sql);
  return {
    transaction: <T>(body: () => T): T => sql.transaction(body),
    settings: settingsTable(sql),
    peers: peersTable(sql),
    allowlist: allowlistTable(sql),
    denylist: denylistTable(sql),
    tasks: tasksTable(sql),
    attempts: attemptsTable(sql),
    idempotency: idempotencyTable(sql),
    webhookSources: webhookSourcesTable(sql),
    pointers: pointersTable(sql),
    outbox: outboxTable(sql),
  };
}
