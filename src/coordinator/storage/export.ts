import { SECOND } from "../../base/clock.ts";
import { err, ok } from "../../base/result.ts";
import { newOpaqueId } from "../../protocol/ids.ts";
import { SCHEMA_VERSION } from "../../registry/migrate.ts";
import { done, type Handler } from "../kernel/handler.ts";
import type { Job } from "../kernel/job.ts";
import { budgetsOf } from "./budgets.ts";

/** The share of the limit that may be used when an export begins: its copy needs as much again. */
const USED_MAX = 0.45;

/**
 * Begins an export: copies all tables in this command's transaction, so that they fit each other, and the mesh goes on. Measurements
 * that are only in memory are written first.
 */
export const beginExport: Handler<"begin_export"> = (context) => {
  const { registry, config, now, randomBytes } = context;
  const { limit } = budgetsOf(config.storage.limit);
  const { endsAt } = registry.exportCopy;
  if (endsAt !== null && endsAt > now)
    return err({
      code: "conflict",
      detail: "another export is under way: wait until it has ended",
      retryAfter: Math.ceil((endsAt - now) / SECOND),
    });
  registry.exportCopy.end(null);
  if (registry.size() > USED_MAX * limit)
    return err({
      code: "storage_full",
      detail: `the database uses ${registry.size()} of ${limit} bytes, and an export needs room for a copy: raise STORAGE_LIMIT_MB, or delete tasks`,
    });
  registry.measurements.flush();
  const exportId = newOpaqueId(randomBytes);
  return ok({ exportId, schema: SCHEMA_VERSION, tables: registry.exportCopy.begin(exportId, now) });
};

export const readExport: Handler<"read_export"> = (
  { registry, now },
  { exportId, table, after },
) => {
  const page = registry.exportCopy.page(exportId, table, after, now);
  if (page !== null) return ok(page);
  return err({
    code: "not_found",
    detail:
      "this export has ended: the mesh was restarted, or the export was not read for too long",
  });
};

export const endExport: Handler<"end_export"> = ({ registry }, { exportId }) => {
  registry.exportCopy.end(exportId);
  return done;
};

/** Ends an export that nobody reads any more, or that takes too long. */
export const endAbandonedExport: Job = {
  name: "end_abandoned_export",
  run({ registry, now }) {
    const { endsAt } = registry.exportCopy;
    if (endsAt !== null && endsAt <= now) registry.exportCopy.end(null);
  },
  due: { reads: ["exportCopy"], at: ({ registry }) => registry.exportCopy.endsAt },
};
