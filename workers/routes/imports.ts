import { z } from "@hono/zod-openapi";
import { toBase64, toHex, type Bytes } from "../../src/base/bytes.ts";
import { SECOND } from "../../src/base/clock.ts";
import { err, ok, type Result } from "../../src/base/result.ts";
import { BackupError, CELLS_FORMAT_VERSION, FORMAT_VERSION } from "../../src/backup/format.ts";
import { PART_BYTES_MAX, readPart, type ImportPartContent } from "../../src/backup/import-part.ts";
import { resultKey } from "../../src/coordinator/tasks/results.ts";
import { RESULT_RETENTION } from "../../src/protocol/constants.ts";
import { readContentDigest } from "../../src/protocol/content-digest.ts";
import type { MusterError } from "../../src/protocol/errors.ts";
import { BeginImportBody, CommitImportBody, ImportView } from "../../src/protocol/http.ts";
import { OpaqueId } from "../../src/protocol/ids.ts";
import { commitImport } from "../commit-import.ts";
import type { AppContext } from "../context.ts";
import { forward, forwardEmpty } from "../forward.ts";
import { problem, respond } from "../problem.ts";
import { readBody } from "../read-body.ts";
import { bodyOf, jsonOf, noContent } from "../responses.ts";
import { routesTagged, type Router } from "../route.ts";
import { orUnavailable } from "../unavailable.ts";

const PART_TYPE = "application/octet-stream";

const { define, defineRaw } = routesTagged("mesh", {
  id: OpaqueId,
  part: z.string().regex(/^[1-9][0-9]{0,6}$/),
});

const begin = define("administer", "post", "/v1/imports", {
  operationId: "beginImport",
  summary:
    "Begin to import a backup into this empty mesh, or continue the import of the same backup. Until its end the mesh takes nothing else",
  request: {
    body: bodyOf(BeginImportBody, {
      muster_backup: 1,
      muster: "0.1.0",
      schema: 40,
      created_at: "2026-11-29T06:00:00.000Z",
      mesh_key: "12".repeat(32),
      tables: 30,
      rows: 1_000,
      results: 2,
      state_hash: "34".repeat(32),
    }),
  },
  responses: { 200: jsonOf(ImportView, "The import, and how many parts it has") },
  failures: ["conflict"],
});
const get = define("administer", "get", "/v1/imports/{id}", {
  operationId: "getImport",
  summary: "Show how many parts of an import have arrived, and whether it was committed",
  responses: { 200: jsonOf(ImportView, "The import") },
});
/** Raw: a part may be larger than other bodies, and is not JSON. */
const put = defineRaw("administer", "put", "/v1/imports/{id}/parts/{part}", {
  operationId: "putImportPart",
  summary:
    "Send a part of a backup: a line that names a table and its columns and then its rows, or a line that names a result and then its bytes. Parts arrive in their order; one that has arrived may be sent again",
  request: {
    headers: z.object({
      "content-digest": z.string().meta({ description: "SHA-256 of the part (RFC 9530)" }),
    }),
    body: {
      required: true,
      content: { [PART_TYPE]: { schema: z.string().meta({ format: "binary" }) } },
    },
  },
  responses: { 200: jsonOf(ImportView, "The part is stored") },
  failures: ["conflict", "storage_full", "too_large", "wrong_media_type"],
});
const commit = define("administer", "post", "/v1/imports/{id}/commit", {
  operationId: "commitImport",
  summary:
    "Compare the rows that have arrived with the state hash of the backup, and make them those of the mesh, which then starts with them",
  request: { body: bodyOf(CommitImportBody, { parts: 12 }) },
  responses: { 200: jsonOf(ImportView, "The mesh has the state of the backup") },
  failures: ["conflict"],
});
const end = define("administer", "delete", "/v1/imports/{id}", {
  operationId: "endImport",
  summary: "End an import, and remove what has arrived",
  responses: noContent("The import has ended"),
});

export function importRoutes(router: Router): void {
  router.route(begin, (c) => {
    const { muster_backup: format, ...said } = c.req.valid("json");
    const refused = refuseBegin(c, format, said);
    if (refused !== null) return problem(c, refused) as never;
    const { schema, muster } = said;
    return forward(c, "begin_import", { schema, muster, header: JSON.stringify(said) });
  });
  router.route(get, (c) => forward(c, "get_import", { id: c.req.valid("param").id }));
  router.rawRoute(put, async (c) => respond(c, await storePart(c), (view) => c.json(view, 200)));
  router.route(commit, async (c) => {
    const { parts } = c.req.valid("json");
    const committed = await commitImport(c.var.coordinator, c.req.valid("param").id, parts);
    return respond(c, committed, (view) => c.json(view, 200));
  });
  router.route(end, (c) => forwardEmpty(c, "end_import", { id: c.req.valid("param").id }));
}

function refuseBegin(
  c: AppContext,
  format: number,
  said: { readonly muster: string; readonly mesh_key: string },
): MusterError | null {
  if (format === CELLS_FORMAT_VERSION)
    return {
      code: "invalid_request",
      detail:
        "this is the backup of a mesh of several cells, which is restored into a folder only: muster restore FILE --dir FOLDER",
    };
  if (format > FORMAT_VERSION)
    return {
      code: "invalid_request",
      detail: `this backup has format ${format} (Muster ${said.muster}), this mesh reads up to ${FORMAT_VERSION}: upgrade the mesh`,
    };
  const own = toHex(c.var.config.identities.current.publicKey);
  if (said.mesh_key === own) return null;
  return {
    code: "conflict",
    detail: `this is the backup of another mesh: its key is ${said.mesh_key}, that of this mesh ${own}; give this mesh the secrets of the one that was backed up first`,
  };
}

/** Reads a part, and stores it: a result in the store, rows with the coordinator. */
async function storePart(c: AppContext): Promise<Result<ImportView, MusterError>> {
  const [id, part] = [c.req.param("id") ?? "", Number(c.req.param("part"))];
  if (!OpaqueId.safeParse(id).success || !Number.isInteger(part) || part < 1)
    return err({ code: "invalid_request", detail: "the path names no import, or no part of one" });
  const type = (c.req.header("Content-Type") ?? "").split(";")[0]?.trim().toLowerCase();
  if (type !== PART_TYPE)
    return err({
      code: "unsupported_media_type",
      detail: `send the part with the header Content-Type: ${PART_TYPE}`,
    });
  const { coordinator } = c.var;
  const found = await coordinator.call("get_import", { id });
  if (!found.ok) return found;
  const body = await readBody(c.req.raw, PART_BYTES_MAX);
  if (body === null)
    return err({
      code: "payload_too_large",
      detail: `a part has at most ${PART_BYTES_MAX} bytes`,
    });
  const digest = toBase64(new Uint8Array(await crypto.subtle.digest("SHA-256", body)));
  if (readContentDigest(c.req.header("Content-Digest") ?? "") !== digest)
    return err({
      code: "invalid_request",
      detail: `the body does not have the SHA-256 that the header Content-Digest states, or there is no such header: send the part again`,
    });
  const content = contentOf(body);
  if (!content.ok) return content;
  const stored = await storeContent(c, content.value, part === found.value.parts + 1);
  if (!stored.ok) return stored;
  return coordinator.call("put_import_part", { id, part, digest, content: stored.value });
}

function contentOf(body: Bytes): Result<ImportPartContent, MusterError> {
  try {
    return ok(readPart(body));
  } catch (thrown) {
    if (!(thrown instanceof BackupError)) throw thrown;
    return err({ code: "invalid_request", detail: thrown.message });
  }
}

/** @param isNext only the next part is stored: the coordinator answers to any other by its digest */
async function storeContent(c: AppContext, content: ImportPartContent, isNext: boolean) {
  if (!("result" in content)) return ok(content);
  const { result, bytes } = content;
  const options = { expirationTtl: RESULT_RETENTION / SECOND };
  const stored = isNext
    ? await orUnavailable(c.env.DISK, "the store", () =>
        c.env.BLOBS.put(resultKey(result), bytes, options),
      )
    : ok(undefined);
  return stored.ok ? ok({ result }) : stored;
}
