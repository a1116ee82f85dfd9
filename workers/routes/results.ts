import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import { readReaderTicket, readResultTicket } from "../../src/access/result-ticket.ts";
import { visibleOwner } from "../../src/access/scope.ts";
import { fromBase64 } from "../../src/base/bytes.ts";
import { SECOND } from "../../src/base/clock.ts";
import { err, ok, type Result } from "../../src/base/result.ts";
import { resultKey } from "../../src/coordinator/tasks/results.ts";
import { RESULT_RETENTION, TASK_LARGE_RESULT_BYTES_MAX } from "../../src/protocol/constants.ts";
import { contentDigest } from "../../src/protocol/content-digest.ts";
import type { MusterError } from "../../src/protocol/errors.ts";
import { Uuid } from "../../src/protocol/ids.ts";
import { bearerOf } from "../authorization.ts";
import type { AppContext, AppEnv } from "../context.ts";
import { respond, problem } from "../problem.ts";
import { orUnavailable } from "../unavailable.ts";
import { measureStream } from "../measured-stream.ts";
import { conflict, failures, failuresOfOne, notFound, security, tooLarge } from "../responses.ts";

const JSON_TYPE = "application/json";
/** An STMF container. */
const SEALED_TYPE = "application/octet-stream";

const binary = z.string().meta({ format: "binary" });
const params = z.object({ id: Uuid });

const put = createRoute({
  method: "put",
  path: "/v1/task-results/{id}/{fence}",
  summary:
    "As a peer: bring an attempt's result that is too large for a message, under the ticket of its offer",
  tags: ["tasks"],
  request: {
    params: params.extend({ fence: z.string().regex(/^[1-9][0-9]{0,8}$/) }),
    body: {
      required: true,
      content: { [JSON_TYPE]: { schema: z.unknown() }, [SEALED_TYPE]: { schema: binary } },
    },
  },
  responses: {
    204: { description: "Committed: the task has succeeded" },
    ...failures,
    ...notFound,
    ...conflict,
    ...tooLarge,
  },
});
const answers = {
  200: {
    description: "The result",
    content: { [JSON_TYPE]: { schema: z.unknown() }, [SEALED_TYPE]: { schema: binary } },
  },
  ...failuresOfOne,
};
const get = createRoute({
  method: "get",
  path: "/v1/tasks/{id}/result",
  summary: "The result alone: JSON, or the STMF container that it was sealed in",
  tags: ["tasks"],
  security,
  request: { params },
  responses: answers,
});
const getByTicket = createRoute({
  method: "get",
  path: "/v1/task-results/{id}",
  summary: "As a peer that gave the task over its session: the same, under the task's ticket",
  tags: ["tasks"],
  request: { params },
  responses: answers,
});

/** What peers do with results: their tickets authorise them, no token of the API does. */
export function ticketedResultRoutes(app: OpenAPIHono<AppEnv>): void {
  // Not `app.openapi`: its validator would read the whole body.
  app.openAPIRegistry.registerPath(put);
  app.put("/v1/task-results/:id/:fence", async (c) =>
    respond(c, await take(c), () => c.body(null, 204)),
  );
  app.openapi(getByTicket, async (c) => {
    const { id } = c.req.valid("param");
    const key = c.get("config").coordinator.credentialKey;
    const reader = readReaderTicket(key, bearerOf(c) ?? "", id);
    if (reader === null) return problem(c, NO_TICKET);
    return send(c, id, reader.peerId);
  });
}

export function resultRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(get, (c) => send(c, c.req.valid("param").id, visibleOwner(c.get("caller"))));
}

/** The result of a task that this owner may see (null sees all). */
async function send(c: AppContext, id: string, visibleTo: string | null) {
  const read = await c.get("coordinator").call("read_result", { id, visibleTo });
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
    const detail = "the result is not in the store, or not yet here; try again in a minute";
    return problem(c, { code: "not_found", detail });
  }
  return c.body(found.value, 200, { ...type, "Content-Digest": contentDigest(extra.sha256 ?? "") });
}

/** Stores what an attempt brings, and commits it: once, or not at all. */
async function take(c: AppContext): Promise<Result<unknown, MusterError>> {
  const { config, coordinator } = c.var;
  const [id, fence] = [c.req.param("id") ?? "", Number(c.req.param("fence"))];
  const ticket = bearerOf(c) ?? "";
  const attempt = readResultTicket(config.coordinator.credentialKey, ticket, { taskId: id, fence });
  if (attempt === null) return err(NO_TICKET);
  if (Number(c.req.header("Content-Length") ?? 0) > TASK_LARGE_RESULT_BYTES_MAX) return err(OVER);
  const begun = await coordinator.call("begin_result", attempt);
  if (!begun.ok) return begun;
  const { sealed, blobId } = begun.value;
  const type = (c.req.header("Content-Type") ?? "").split(";")[0]?.trim().toLowerCase();
  const wanted = sealed ? SEALED_TYPE : JSON_TYPE;
  if (type !== wanted) {
    return err({ code: "unsupported_media_type", detail: `this result must come as ${wanted}` });
  }
  const stored = await store(c, blobId);
  return stored.ok
    ? coordinator.call("commit_result", { ...attempt, blobId, ...stored.value })
    : stored;
}

const NO_TICKET: MusterError = {
  code: "unauthorized",
  detail: "send the ticket that came with the task as bearer token",
};

const OVER: MusterError = {
  code: "payload_too_large",
  detail: `a result holds at most ${TASK_LARGE_RESULT_BYTES_MAX} bytes`,
};

/** Puts the body into the store. What is not committed afterwards is swept. */
async function store(c: AppContext, blobId: string) {
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
      detail: "Content-Digest: the body that came has another SHA-256",
    });
  }
  return ok(measured);
}
