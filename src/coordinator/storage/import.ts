import { err, ok, type Result } from "../../base/result.ts";
import type { CommandName } from "../../contract/commands.ts";
import type { ImportContent } from "../../contract/storage.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { ImportView } from "../../protocol/http.ts";
import { newOpaqueId } from "../../protocol/ids.ts";
import { isConstraintError, type BackupRow } from "../../registry/backup-tables.ts";
import type { ImportCopy, StoredImport } from "../../registry/import-copy.ts";
import { SCHEMA_VERSION } from "../../registry/migrate.ts";
import type { Context } from "../kernel/context.ts";
import { done, type Handler } from "../kernel/handler.ts";
import type { Job } from "../kernel/job.ts";
import { deleteResult } from "../kernel/marks.ts";
import { budgetsOf } from "./budgets.ts";

/** The share of the limit that an import may use before it is committed: its commit needs as much again. */
const USED_MAX = 0.45;
/** In seconds. */
const RETRY_WHILE_IMPORTING = 30;

/** The commands that change something while an import is open. */
const DURING_IMPORT: ReadonlySet<CommandName> = new Set<CommandName>([
  "begin_import",
  "put_import_part",
  "end_import",
]);

/** Why a command that changes something is refused while a backup arrives; null when it may run. The mesh's own commands go on. */
export function importFault(
  { registry, actor }: Pick<Context, "registry" | "actor">,
  name: CommandName,
): MusterError | null {
  if (!registry.importCopy.isOpen || actor === "mesh" || DURING_IMPORT.has(name)) return null;
  return {
    code: "unavailable",
    detail: `a backup is being imported into this mesh (import ${registry.importCopy.current?.id}), which takes nothing else until that has ended`,
    retryAfter: RETRY_WHILE_IMPORTING,
  };
}

export const beginImport: Handler<"begin_import"> = (context, { schema, muster, header }) => {
  const { importCopy } = context.registry;
  if (schema > SCHEMA_VERSION)
    return err({
      code: "invalid_request",
      detail: `this backup was made by Muster ${muster} (schema version ${schema}); this mesh knows schemas up to ${SCHEMA_VERSION}: upgrade the mesh`,
    });
  // A client that goes on, or that did not get the answer to its commit.
  if (importCopy.current?.header === header) return ok(viewOf(importCopy, importCopy.current));
  if (importCopy.isOpen)
    return err({
      code: "conflict",
      detail: `another backup is being imported (import ${importCopy.current?.id}): commit it, or end it with DELETE /v1/imports/${importCopy.current?.id}`,
    });
  const used = importCopy.usedTable();
  if (used !== null)
    return err({
      code: "conflict",
      detail: `the mesh is not empty (its table ${used} has rows): a backup is imported into an empty mesh only`,
    });
  importCopy.begin(newOpaqueId(context.randomBytes), header, schema, context.now);
  return ok(viewOf(importCopy, importCopy.current as StoredImport));
};

export const getImport: Handler<"get_import"> = ({ registry: { importCopy } }, { id }) =>
  importCopy.current !== null && importCopy.current.id === id
    ? ok(viewOf(importCopy, importCopy.current))
    : err(ENDED);

export const putImportPart: Handler<"put_import_part"> = (
  context,
  { id, part: count, digest, content },
) => {
  const { registry, config, now } = context;
  const { importCopy } = registry;
  const open = openImport(importCopy, id);
  if (!open.ok) return open;
  const parts = importCopy.partCount();
  if (count > parts + 1)
    return err({
      code: "conflict",
      detail: `part ${count} can't follow part ${parts}: send part ${parts + 1} next`,
    });
  const before = importCopy.part(count);
  if (before !== null && before.digest !== digest)
    return err({ code: "conflict", detail: `part ${count} has arrived with another content` });
  if (before !== null) return ok(viewOf(importCopy, open.value));
  const { limit } = budgetsOf(config.storage.limit);
  if (registry.size() > USED_MAX * limit)
    return err({
      code: "storage_full",
      detail: `the database uses ${registry.size()} of ${limit} bytes, and an import needs room for its rows twice: raise STORAGE_LIMIT_MB`,
    });
  const added = addContent(importCopy, content);
  if (!added.ok) return added;
  importCopy.addPart(count, { digest, result: "result" in content ? content.result : null }, now);
  return ok(viewOf(importCopy, open.value));
};

/** Only tables and columns that the schema version has get rows: their names come from the schema, not from the file. */
function addContent(importCopy: ImportCopy, content: ImportContent): Result<void, MusterError> {
  if ("result" in content) return ok(undefined);
  const { table: name, columns, rows } = content;
  const table = importCopy.tables().find((each) => each.name === name);
  if (table === undefined)
    return err(invalid(`the schema version of this backup has no table ${name}`));
  if (table.columns.join() !== columns.join())
    return err(invalid(`table ${name} has other columns in the schema version of this backup`));
  const read = JSON.parse(rows) as readonly BackupRow[];
  if (read.some((row) => row.length !== columns.length))
    return err(invalid(`a row does not fit table ${name}`));
  try {
    importCopy.addRows(table, read);
  } catch (thrown) {
    if (isConstraintError(thrown))
      return err(invalid(`a row does not fit table ${name}, or is there twice`));
    throw thrown;
  }
  return ok(undefined);
}

export const getImportTables: Handler<"get_import_tables"> = (
  { registry: { importCopy } },
  { id },
) => {
  const open = openImport(importCopy, id);
  if (!open.ok) return open;
  return ok({
    tables: importCopy.tables(),
    results: importCopy.results().length,
    header: open.value.header,
  });
};

export const readImport: Handler<"read_import"> = (
  { registry: { importCopy } },
  { id, table, after },
) => {
  const open = openImport(importCopy, id);
  const page = open.ok ? importCopy.page(table, after) : null;
  if (page === null) return err(ENDED);
  const lines = page.rows.map((row) => `${JSON.stringify(row)}\n`).join("");
  return ok({ lines, rows: page.rows.length, next: page.next });
};

export const endImport: Handler<"end_import"> = (context, { id }) => {
  const open = openImport(context.registry.importCopy, id);
  if (!open.ok) return open;
  removeImport(context);
  return done;
};

/** Ends an import that gets no part any more, or that takes too long. */
export const endAbandonedImport: Job = {
  name: "end_abandoned_import",
  run(context) {
    const { endsAt } = context.registry.importCopy;
    if (endsAt !== null && endsAt <= context.now) removeImport(context);
  },
  due: { reads: ["importCopy"], at: ({ registry }) => registry.importCopy.endsAt },
};

/** Nothing names the results that have arrived. */
function removeImport(context: Context): void {
  const { importCopy } = context.registry;
  for (const result of importCopy.results()) deleteResult(context, result);
  importCopy.end();
}

/** The import that is open. */
export function openImport(importCopy: ImportCopy, id: string): Result<StoredImport, MusterError> {
  const { current } = importCopy;
  return importCopy.isOpen && current?.id === id ? ok(current) : err(ENDED);
}

const ENDED: MusterError = {
  code: "not_found",
  detail: "this import is not open: it was committed or ended, or got no part for too long",
};

/** The fault of a commit that states another number of parts. */
export const partsMissing = (arrived: number, stated: number): MusterError => ({
  code: "conflict",
  detail: `${arrived} parts have arrived, not ${stated}: send the missing ones`,
});

const invalid = (detail: string): MusterError => ({ code: "invalid_request", detail });

const viewOf = (importCopy: ImportCopy, stored: StoredImport): ImportView => ({
  id: stored.id,
  state: stored.committed === null ? "open" : "committed",
  parts: importCopy.partCount(),
  state_hash: stateHashOf(stored),
});

/** The state hash that the backup states. */
export const stateHashOf = ({ header }: Pick<StoredImport, "header">): string =>
  (JSON.parse(header) as { readonly state_hash: string }).state_hash;
