import { z } from "@hono/zod-openapi";
import {
  readDownloadTicket,
  readUploadTicket,
  type AuthorizedUpload,
} from "../../src/access/result-secrets.ts";
import { toBase64, type Bytes } from "../../src/base/bytes.ts";
import { SECOND } from "../../src/base/clock.ts";
import { err, ok, type Result } from "../../src/base/result.ts";
import type { Output } from "../../src/contract/commands.ts";
import { resultKey } from "../../src/coordinator/tasks/results.ts";
import { platformRandom, sha256 } from "../../src/crypto/primitives.ts";
import { downloadKey, readResultSecret, uploadKey } from "../../src/crypto/result-tickets.ts";
import { openedStream, sealedBytes, sealedStream } from "../../src/crypto/sealed-stream.ts";
import { sign } from "../../src/discovery/signed-statements.ts";
import { RESULT_RETENTION, TASK_LARGE_RESULT_BYTES_MAX } from "../../src/protocol/constants.ts";
import { contentDigest } from "../../src/protocol/content-digest.ts";
import type { MusterError } from "../../src/protocol/errors.ts";
import { Uuid } from "../../src/protocol/ids.ts";
import { resultBytes } from "../../src/protocol/result-bytes.ts";
import {
  RESULT_FENCE_HEADER,
  RESULT_SIGNATURE_HEADER,
  type ResultContent,
} from "../../src/protocol/result-content.ts";
import { STMF_MAGIC } from "../../src/stmf/container.ts";
import { bearerOf } from "../authorization.ts";
import type { AppContext } from "../context.ts";
import { visibleTo } from "../forward.ts";
import { problem, respond } from "../problem.ts";
import { NO_ROOM_TO_READ } from "../../durable/coordinator-errors.ts";
import { NO_TICKET, noTicket } from "../tickets.ts";
import { orUnavailable } from "../unavailable.ts";
import { measureStream } from "../measured-stream.ts";
import { noContent } from "../responses.ts";
import { routesTagged, type Router } from "../route.ts";

const JSON_TYPE = "application/json";
/** An STMF container, or a result that is sealed for its way. */
const SEALED_TYPE = "application/octet-stream";

const binary = z.string().meta({ format: "binary" });

const { define, defineRaw } = routesTagged("tasks", {
  id: Uuid,
  fence: z.string().regex(/^[1-9][0-9]{0,14}$/),
});
const sealedBody = { [SEALED_TYPE]: { schema: binary } };
const resultBody = { [JSON_TYPE]: { schema: z.unknown() }, ...sealedBody };
const headers = z.object({
  "content-digest": z.string().meta({ description: "SHA-256 of the body (RFC 9530)" }),
  [RESULT_FENCE_HEADER]: z.string().meta({ description: "The attempt that made the result" }),
  [RESULT_SIGNATURE_HEADER]: z
    .string()
    .meta({ description: "The mesh's Ed25519 signature of the result, in hex (docs/tasks.md)" }),
});

/** Raw: a validator would read the whole body into memory. */
const put = defineRaw("ticket", "put", "/v1/task-results/{id}/{fence}", {
  operationId: "uploadTaskResult",
  summary:
    "As a peer, upload an attempt's result that is not sent in a message, sealed with the secret from its offer. The peer's session then commits it",
  request: {
    body: { required: true, content: sealedBody },
  },
  responses: noContent("The bytes are stored; the task has not ended yet"),
  failures: ["not_found", "lease_lost", "too_large", "wrong_media_type", "too_many_uploads"],
});
const get = define("read_work", "get", "/v1/tasks/{id}/result", {
  operationId: "getTaskResult",
  summary: "Show only the result: JSON, or the STMF container that it is sealed in",
  responses: { 200: { description: "The result", content: resultBody, headers } },
});
const getByTicket = define("ticket", "get", "/v1/task-results/{id}", {
  operationId: "downloadTaskResult",
  summary:
    "As the peer that submitted the task over its session, show its result, sealed with the task's secret",
  responses: { 200: { description: "The result, sealed for the peer", content: sealedBody } },
});

export function resultRoutes(router: Router): void {
  router.rawRoute(put, async (c) => respond(c, await storeResult(c), () => c.body(null, 204)));
  router.route(getByTicket, (c) => sendSealed(c, c.req.valid("param").id));
  router.route(get, (c) => sendResult(c, c.req.valid("param").id));
}

/** Answers with a task's result, if the caller may see the task, with the mesh's signature. */
async function sendResult(c: AppContext, id: string): Promise<Response> {
  const input = { id, visibleTo: visibleTo(c) };
  const read = await readStored(c, await c.get("coordinator").call("read_result", input));
  if (!read.ok) return problem(c, read.error);
  const { body, fence, ...said } = read.value;
  const { signingKey } = c.var.config;
  return c.body(body, 200, {
    "Content-Type": said.sealed ? SEALED_TYPE : JSON_TYPE,
    "Content-Digest": contentDigest(said.sha256),
    [RESULT_FENCE_HEADER]: String(fence),
    [RESULT_SIGNATURE_HEADER]: sign("result", { task_id: id, fence, ...said }, signingKey),
  });
}

/** Answers with a task's result, sealed for the peer that submitted the task over its session. Its session has its digest. */
async function sendSealed(c: AppContext, id: string): Promise<Response> {
  const { coordinator, config } = c.var;
  const secret = readDownloadTicket(config.coordinator.credentialKey, bearerOf(c) ?? "", id);
  if (secret === null) return problem(c, noTicket(c, NO_TICKET));
  const { peerId } = secret;
  const read = await readStored(c, await coordinator.call("read_own_result", { id, peerId }));
  if (!read.ok) return problem(c, read.error);
  const body = new Response(read.value.body).body ?? new Blob().stream();
  const sealed = sealedStream(body, downloadKey(secret), platformRandom);
  return c.body(sealed, 200, { "Content-Type": SEALED_TYPE });
}

interface ReadResult extends ResultContent {
  readonly body: string | Bytes | ReadableStream;
  readonly fence: number;
  readonly sealed: boolean;
}

/** The bytes of a result, which are with its task or in the store. */
async function readStored(
  c: AppContext,
  read: Result<Output<"read_result">, MusterError>,
): Promise<Result<ReadResult, MusterError>> {
  if (!read.ok) return read;
  const { result, extra, fence } = read.value;
  const { sealed, blobId } = extra;
  if (blobId === null) {
    const body = resultBytes(result, sealed);
    return ok({ body, fence, sealed, bytes: body.length, sha256: toBase64(sha256(body)) });
  }
  const found = await orUnavailable(
    c.env.DISK,
    "the store",
    () => c.env.BLOBS.get(resultKey(blobId), "stream"),
    NO_ROOM_TO_READ,
  );
  if (!found.ok) return found;
  if (found.value === null) {
    const detail =
      "the result is not in the store, or has not been replicated here yet; try again in a minute";
    return err({ code: "not_found", detail });
  }
  const { bytes, sha256: digest } = extra;
  return ok({ body: found.value, fence, sealed, bytes: bytes ?? 0, sha256: digest ?? "" });
}

/** Stores the bytes that the attempt's ticket names, and no others. */
async function storeResult(c: AppContext): Promise<Result<unknown, MusterError>> {
  const { config, coordinator } = c.var;
  const [id, fence] = [c.req.param("id") ?? "", Number(c.req.param("fence"))];
  const ticket = bearerOf(c) ?? "";
  const upload = readUploadTicket(config.coordinator.credentialKey, ticket, { taskId: id, fence });
  if (upload === null)
    return err(noTicket(c, readResultSecret(ticket) === null ? NO_TICKET : OLD_SDK));
  const length = Number(c.req.header("Content-Length") ?? 0);
  if (length > sealedBytes(TASK_LARGE_RESULT_BYTES_MAX)) return err(OVER);
  const type = (c.req.header("Content-Type") ?? "").split(";")[0]?.trim().toLowerCase();
  if (type !== SEALED_TYPE) {
    const detail = `send the result with the header Content-Type: ${SEALED_TYPE}, sealed with the secret from its offer`;
    return err({ code: "unsupported_media_type", detail });
  }
  const begun = await coordinator.call("begin_result", upload.attempt);
  if (!begun.ok) return begun;
  const { sealed, blobId } = begun.value;
  const stored = await storeBlob(c, upload, { blobId, mustBeSealed: sealed });
  return stored.ok
    ? coordinator.call("result_uploaded", { ...upload.attempt, blobId, ...upload.content })
    : stored;
}

const OLD_SDK: MusterError = {
  code: "unauthorized",
  detail:
    "this mesh takes large results only sealed and named by their digest, and this ticket names none: update the peer's SDK",
};

const OVER: MusterError = {
  code: "payload_too_large",
  detail: `the result is larger than ${TASK_LARGE_RESULT_BYTES_MAX} bytes, the limit`,
};

/**
 * Opens the body and streams it into the store. Other bytes than those that the ticket names are refused. The coordinator deletes later
 * what was stored and is never committed.
 */
async function storeBlob(
  c: AppContext,
  { content, secret }: AuthorizedUpload,
  { blobId, mustBeSealed }: { readonly blobId: string; readonly mustBeSealed: boolean },
): Promise<Result<void, MusterError>> {
  const sent = c.req.raw.body ?? new Blob().stream();
  const body = measureStream(openedStream(sent, uploadKey(secret)), content.bytes);
  const options = { expirationTtl: RESULT_RETENTION / SECOND };
  const written = await orUnavailable(c.env.DISK, "the store", () =>
    c.env.BLOBS.put(resultKey(blobId), body.stream, options).catch((error: unknown) => {
      // What the sender got wrong is no failure of the store, and is not logged as one.
      if (body.failure() === null) throw error;
    }),
  );
  if (body.failure() !== null) return err(OTHER_BYTES);
  if (!written.ok) return written;
  const { bytes, sha256: digest, first } = await body.measured();
  if (bytes !== content.bytes || digest !== content.sha256) return err(OTHER_BYTES);
  if (mustBeSealed && !first.startsWith(STMF_MAGIC)) return err(NOT_SEALED);
  return ok(undefined);
}

const OTHER_BYTES: MusterError = {
  code: "invalid_request",
  detail:
    "the received body is not the one that the ticket names: it does not open with the offer's secret, or has another length or SHA-256",
};

const NOT_SEALED: MusterError = {
  code: "invalid_request",
  detail:
    "the result must be sealed to the caller's key (seal_to of the offer) in an STMF container",
};
