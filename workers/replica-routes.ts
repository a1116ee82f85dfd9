import type { Context, Hono } from "hono";
import { redactedError } from "../src/base/redact.ts";
import { TROUBLESHOOTING_PATH, type MusterError } from "../src/protocol/errors.ts";
import type { Replica } from "../src/discovery/replica.ts";
import { PointerQuery } from "../src/protocol/http.ts";
import { OpaqueId } from "../src/protocol/ids.ts";
import { issuesOf } from "../src/protocol/schema/issues.ts";
import { bearerToken } from "./bearer-token.ts";
import { checkMethod } from "./methods.ts";
import { problem } from "./problem.ts";
import { checkQuery } from "./query.ts";
import { limitReads } from "./replica-limits.ts";
import { setSafeHeaders } from "./safe-headers.ts";
import { troubleshootingAnswer, troubleshootingPage } from "./troubleshooting.ts";

/** A reader token that nobody has. A request without a token is checked with it, so that it takes as long as one with a token. */
const NO_TOKEN = "0".repeat(64);
const READER_TOKEN = /^[0-9a-f]{64}$/;
/** Seconds after which the caller may try again. */
const RETRY = 2;

const NOTHING: MusterError = { code: "not_found", detail: "no resource with this ID is published" };
const EMPTY: MusterError = {
  code: "unavailable",
  detail:
    "the mesh has not replicated its discovery data to this store, or the store does not answer; try again",
  retryAfter: RETRY,
};

/** A cursor of a replica is a pointer's ID. */
const Query = PointerQuery.extend({ cursor: OpaqueId.optional() });
const listQuery = checkQuery(Query, Object.keys(Query.shape));
const noQuery = checkQuery(null, []);

/** The paths and answers of the mesh's discovery. `open` returns the replica, or throws if it is not configured. */
export function replicaRoutes(app: Hono, open: (c: Context) => Promise<Replica>): void {
  app.use(async (c, next) => {
    await next();
    setSafeHeaders(c.res.headers);
  });
  app.use(
    checkMethod(app, (c, allowed) =>
      problem(c, {
        code: "method_not_allowed",
        detail: `a replica is read-only: this path does not support ${c.req.method}, only ${allowed}`,
      }),
    ),
  );
  app.onError((error, c) => {
    console.error("replica", { error: redactedError(error) });
    return problem(c, EMPTY);
  });
  app.notFound((c) =>
    problem(c, { code: "not_found", detail: `the path ${c.req.path} does not exist` }),
  );

  app.get(TROUBLESHOOTING_PATH, noQuery, troubleshootingPage);
  app.get(`${TROUBLESHOOTING_PATH}/:code`, noQuery, troubleshootingAnswer);

  app.get("/healthz", noQuery, async (c) => {
    const ready = (await (await open(c)).mayRead(NO_TOKEN)) !== null;
    return ready ? c.json({ status: "ok" }) : problem(c, EMPTY);
  });

  app.use("/v1/*", limitReads(open, tokenOf));

  app.get("/v1/pointers", async (c) => {
    const replica = await open(c);
    const allowed = await replica.mayRead(tokenOf(c));
    if (allowed === null) return problem(c, EMPTY);
    if (!allowed) {
      const detail =
        "send the header Authorization: Bearer TOKEN, with a reader token of the current epoch";
      return problem(c, { code: "unauthorized", detail });
    }
    const refused = await listQuery(c, () => Promise.resolve());
    if (refused instanceof Response) return refused;
    const query = Query.safeParse(c.req.query());
    if (!query.success) {
      const issues = issuesOf(query.error, Query);
      return problem(c, {
        code: "invalid_request",
        detail: "the query parameters are not valid",
        issues,
      });
    }
    const list = await replica.list(query.data);
    return list === null ? problem(c, EMPTY) : c.json(list);
  });

  app.get("/v1/pointers/:id", noQuery, async (c) => {
    const pointer = await oneOf(c, await open(c), (replica, id) => replica.pointer(id));
    return pointer instanceof Response ? pointer : c.json(pointer);
  });

  app.get("/v1/blobs/:id", noQuery, async (c) => {
    const bytes = await oneOf(c, await open(c), (replica, id) => replica.blob(id));
    if (bytes instanceof Response) return bytes;
    return c.body(bytes, 200, { "Content-Type": "application/octet-stream" });
  });
}

/**
 * The requested resource, or the answer that it is absent. The caller's right and the resource are looked up in every case, so
 * that absent and not allowed have the same answer in the same time (DS17).
 */
async function oneOf<T>(
  c: Context,
  replica: Replica,
  find: (replica: Replica, id: string) => Promise<T | null>,
): Promise<T | Response> {
  const id = OpaqueId.safeParse(c.req.param("id"));
  if (!id.success) return problem(c, NOTHING);
  const [allowed, found] = await Promise.all([replica.mayRead(tokenOf(c)), find(replica, id.data)]);
  if (allowed === null) return problem(c, EMPTY);
  return allowed && found !== null ? found : problem(c, NOTHING);
}

function tokenOf(c: Context): string {
  const shown = bearerToken(c.req.header("Authorization")) ?? "";
  return READER_TOKEN.test(shown) ? shown : NO_TOKEN;
}
