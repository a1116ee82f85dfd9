import type { Millis } from "../src/base/clock.ts";
import { budgetsOf } from "../src/coordinator/storage/budgets.ts";
import { AUDIT_LIMITS } from "../src/protocol/constants.ts";
import { continueAfterRestore } from "../src/registry/after-restore.ts";
import { migrate } from "../src/registry/migrate.ts";
import { openRegistry, type Registry } from "../src/registry/registry.ts";
import type { Sql } from "../src/registry/sql.ts";

/** Opens the tables of a mesh whose database may have so many bytes, after a migration and a restore if one is due. */
export function openMeshRegistry(sql: Sql, bytesMax: number, now: Millis): Registry {
  const { choiceRows, smallRows, eventRows, eventBytes } = budgetsOf(bytesMax);
  const audit = {
    ...AUDIT_LIMITS,
    listed: Math.min(AUDIT_LIMITS.listed, smallRows),
    stranger: Math.min(AUDIT_LIMITS.stranger, smallRows),
  };
  const seed = Math.floor(Math.random() * 2 ** 32);
  migrate(sql);
  continueAfterRestore(sql, now);
  const registry = openRegistry(sql, seed, audit, choiceRows, {
    rows: eventRows,
    bytes: eventBytes,
  });
  registry.metrics.started(now);
  return registry;
}
