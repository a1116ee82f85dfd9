import { ok } from "../../base/result.ts";
import type { StorageCommands } from "../../contract/storage.ts";
import { OWNER_BYTES_SHOWN } from "../../protocol/constants.ts";
import type { StorageView } from "../../protocol/http.ts";
import type { Context } from "../kernel/context.ts";
import type { Domain } from "../kernel/domain.ts";
import type { Handler } from "../kernel/handler.ts";
import { budgetsOf } from "./budgets.ts";
import { beginExport, endAbandonedExport, endExport, readExport } from "./export.ts";
import {
  beginImport,
  endAbandonedImport,
  endImport,
  getImport,
  getImportTables,
  putImportPart,
  readImport,
} from "./import.ts";
import { storageJobs } from "./jobs.ts";
import { maxBytesOf } from "./room.ts";

const getStorage: Handler<"get_storage"> = (context) => {
  const { registry, config } = context;
  const budgets = budgetsOf(config.storage.limit);
  const used = registry.size();
  return ok({
    used_bytes: used,
    limit_bytes: budgets.limit,
    removes_above_bytes: budgets.pruneAbove,
    accepts_up_to_bytes: budgets.submissions,
    state: stateOf(context, used),
    payload_retention_hours: config.storage.payloadRetention / 3_600_000,
    owners: registry.tasks.ownerBytes
      .openOwners()
      .toSorted(([, a], [, b]) => b - a)
      .slice(0, OWNER_BYTES_SHOWN)
      .map(([owner, bytes]) => ({ owner, bytes, max_bytes: maxBytesOf(context, owner) })),
  });
};

function stateOf({ registry, config }: Context, used: number): StorageView["state"] {
  if (used > budgetsOf(config.storage.limit).submissions) return "full";
  return registry.room.making === "no" ? "ok" : "making_room";
}

export const storage: Domain<StorageCommands> = {
  handlers: {
    get_storage: getStorage,
    begin_export: beginExport,
    read_export: readExport,
    end_export: endExport,
    begin_import: beginImport,
    get_import: getImport,
    put_import_part: putImportPart,
    read_import: readImport,
    get_import_tables: getImportTables,
    end_import: endImport,
  },
  audit: {
    begin_export: (_, output) => ({
      subject: "mesh",
      detail: { tables: output?.tables.length ?? null },
    }),
    end_export: { notAudited: "the begin of the export is" },
    begin_import: ({ muster, schema }) => ({ subject: "mesh", detail: { muster, schema } }),
    put_import_part: { notAudited: "the begin of the import is" },
    end_import: () => ({ subject: "mesh" }),
  },
  jobs: [...storageJobs, endAbandonedExport, endAbandonedImport],
};
