import { z } from "@hono/zod-openapi";
import { readDownloadTicket, readUploadTicket } from "../../src/access/result-ticket.ts";
import { fromBase64 } from "../../src/base/bytes.ts";
import { SECOND } from "../../src/base/clock.ts";
import { err, ok, type Result } from "../../src/base/result.ts";
import { resultKey } from "../../src/coordinator/tasks/results.ts";
import { RESULT_RETENTION, TASK_LARGE_RESULT_BYTES_MAX } from "../../src/protocol/constants.ts";
import { contentDigest } from "../../src/protocol/content-digest.ts";
import type { MusterError } from "../../src/protocol/errors.ts";
import { Uuid } from "../../src/protocol/ids.ts";
import { bearerOf } from "../authorization.ts";
import type { AppContext } from "../context.ts";
import { visibleTo } from "../forward.ts";
import { problem, respond } from "../problem.ts";
import { orUnavailable } from "../unavailable.ts";
import { measureStream } from "../measured-stream.ts";
import { noContent } from "../responses.ts";
import { routesTagged, type Router } from "../route.ts";

const JSON_TYPE = "application/json";
/** An STMF container. */
const SEALED_TYPE = "application/octet-stream";

const binary = z.string().meta({ format: "binary" });

const { define, defineRaw } = routesTagged("tasks", {
  id: Uuid,
  fence: z.string().regex(/^[1-9][0-9]{0,8}$/),
});
const content = { [JSON_TYPE]: { schema: z.unknown() }, [SEALED_TYPE]: { schema: binary } };
const responses = { 200: { description: "The result", content } };

/** Raw: a validator would read the whole body into memory. */
const put = defineRaw("ticket", "put", "/v1/task-results/{id}/{fence}", {
  summary:
    "As a peer, upload an attempt's result that is too large for a message, with the ticket from its offer",
  request: {
    body: { required: true, content },
  },
  responses: noContent("The result is committed and the task has succeeded"),
  failures: ["not_found", "conflict", "too_large", "wrong_media_type"],
});
const get = define("read_work", "get", "/v1/tasks/{id}/result", {
  summary: "Show only the result: JSON, or the STMF container that it is sealed in",
  responses,
});
const getByTicket = define("ticket", "get", "/v1/task-results/{id}", {
  summary:
    "As the peer that submitted the task over its session, show its result, with the task's ticket",
  responses,
});

export function resultRoutes(router: Router): void {
  router.rawRoute(put, async (c) => respond(c, await storeResult(c), () => c.body(null, 204)));
  router.route(getByTicket, (c) => {
    const { id } = c.req.valid("param");
    const key = c.var.config.coordinator.credentialKey;
    const reader = readDownloadTicket(key, bearerOf(c) ?? "", id);
    return reader === null ? problem(c, NO_TICKET) : sendResult(c, id, reader.peerId);
  });
  router.route(get, (c) => sendResult(c, c.req.valid("param").id, visibleTo(c)));
}

/** Answers with a task's result, if this owner may see the task (null: every task). */
async function sendResult(c: AppContext, id: string, owner: string | null) {
  const read = await c.get("coordinator").call("read_result", { id, visibleTo: owner });
  if (!read.ok) return problem(c, read.error);
  const { result, extra } = read.value;
  const type = { "Content-Type": extra.sealed ? SEALED_TYPE : JSON_TYPE };
  if (extra.blobId === null) {
    const body = extra.sealed ? (fromBase64(result as string) ?? "") : JSON.stringify(result);
    return c.body(body, 200, type);
  }
  const key = resultKey(extra.blobId);
  const found = await orUnavailable("the store", () => c.env.BLOBS.get(key, "stream"));
  if (!found.ok) return problem(c, found.error);
  if (found.value === null) {
    const detail =
      "the result is not in the store, or has not been replicated here yet; try again in a minute";
    return problem(c, { code: "not_found", detail });
  }
  return c.body(found.value, 200, { ...type, "Content-Digest": contentDigest(extra.sha256 ?? "") });
}

/** Stores an attempt's result and commits it: once, or not at all. */
async function storeResult(c: AppContext): Promise<Result<unknown, MusterError>> {
  const { config, coordinator } = c.var;
  const [id, fence] = [c.req.param("id") ?? "", Number(c.req.param("fence"))];
  const ticket = bearerOf(c) ?? "";
  const attempt = readUploadTicket(config.coordinator.credentialKey, ticket, { taskId: id, fence });
  if (attempt === null) return err(NO_TICKET);
  if (Number(c.req.header("Content-Length") ?? 0) > TASK_LARGE_RESULT_BYTES_MAX) return err(OVER);
  const begun = await coordinator.call("begin_result", attempt);
  if (!begun.ok) return begun;
  const { sealed, blobId } = begun.value;
  const type = (c.req.header("Content-Type") ?? "").split(";")[0]?.trim().toLowerCase();
  const wanted = sealed ? SEALED_TYPE : JSON_TYPE;
  if (type !== wanted) {
    return err({
      code: "unsupported_media_type",
      detail: `send this result with the header Content-Type: ${wanted}`,
    });
  }
  const stored = await storeBlob(c, blobId);
  return stored.ok
    ? coordinator.call("commit_result", { ...attempt, blobId, ...stored.value })
    : stored;
}

const NO_TICKET: MusterError = {
  code: "unauthorized",
  detail: "send the header Authorization: Bearer TICKET, with the ticket that came with the task",
};

const OVER: MusterError = {
  code: "payload_too_large",
  detail: `the result is larger than ${TASK_LARGE_RESULT_BYTES_MAX} bytes, the limit`,
};

/** Streams the body into the store. The coordinator deletes it later if it is never committed. */
async function storeBlob(c: AppContext, blobId: string) {
  const body = measureStream(c.req.raw.body ?? new Blob().stream(), TASK_LARGE_RESULT_BYTES_MAX);
  const options = { expirationTtl: RESULT_RETENTION / SECOND };
  const written = await orUnavailable("the store", () =>
    c.env.BLOBS.put(resultKey(blobId), body.stream, options),
  );
  if (!written.ok) return body.overflowed() ? err(OVER) : written;
  const measured = await body.measured();
  const claimed = c.req.header("Content-Digest");
  if (claimed !== undefined && claimed !== contentDigest(measured.sha256)) {
    return err<MusterError>({
      code: "invalid_request",
      detail: "Content-Digest: the SHA-256 of the received body differs from this header",
    });
  }
  return ok(measured);
}
