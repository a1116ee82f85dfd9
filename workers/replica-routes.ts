import type { Context, Hono } from "hono";
import { env, getRuntimeKey } from "hono/adapter";
import { SECOND } from "../src/base/clock.ts";
import { faultOf } from "../src/base/log/log-events.ts";
import { log } from "../durable/worker-log.ts";
import type { Replica } from "../src/discovery/replica.ts";
import type { StoreCondition } from "../src/discovery/snapshot-reader.ts";
import { STALE_HEADER } from "../src/protocol/discovery.ts";
import { TROUBLESHOOTING_PATH, type MusterError } from "../src/protocol/errors.ts";
import { PointerQuery } from "../src/protocol/http.ts";
import { OpaqueId } from "../src/protocol/ids.ts";
import { issuesOf } from "../src/protocol/schema/issues.ts";
import { bearerToken } from "./bearer-token.ts";
import { crossOrigin } from "./cross-origin.ts";
import { checkMethod } from "./methods.ts";
import { PathTable } from "./path-table.ts";
import { problem } from "./problem.ts";
import { checkQuery } from "./query.ts";
import { limitReads, limitReplicaPreflights } from "./replica-limits.ts";
import type { ReplicaVariables } from "./replica-settings.ts";
import { setSafeHeaders } from "./safe-headers.ts";
import { troubleshootingAnswer, troubleshootingPage } from "./troubleshooting.ts";

/** A reader token that nobody has. A request without a token is checked with it, so that it takes as long as one with a token. */
const NO_TOKEN = "0".repeat(64);
const READER_TOKEN = /^[0-9a-f]{64}$/;
/** Seconds after which the caller may try again. */
const RETRY = 2;

const NOTHING: MusterError = { code: "not_found", detail: "no resource with this ID is published" };

/** Why nothing can be served, by what the store held at the last read. */
const NO_DIRECTORY: { readonly [C in StoreCondition]: string } = {
  unread: "the replica has not read its store yet; try again",
  current: "the replica has not read its store yet; try again",
  unreachable: "the replica's store does not answer, and the replica has kept nothing; try again",
  empty: "the replica's store holds no directory; the mesh writes it within a minute; try again",
  refused:
    "the replica's store holds no complete directory that this mesh has signed; the operator compares MESH_VERIFYING_KEY with signing_key of the mesh's /v1/mesh",
};

/** A record that a pointer names can't be read: it exists, so it is not "not found". */
const RECORD_UNAVAILABLE: MusterError = {
  code: "unavailable",
  detail: "the replica's store does not return this record at the moment; try again",
  retryAfter: RETRY,
};

/** How many seconds ago the mesh signed the directory that is served. */
const DIRECTORY_AGE_HEADER = "Muster-Directory-Age";

/** What pages of other origins may send to a replica, and read of its answers, if `CORS_ORIGINS` lists them. */
const REQUEST_HEADERS = ["Authorization"];
const RESPONSE_HEADERS = ["Allow", "Retry-After", DIRECTORY_AGE_HEADER, STALE_HEADER];

/** A cursor of a replica is a pointer's ID. */
const Query = PointerQuery.extend({ cursor: OpaqueId.optional() });
const listQuery = checkQuery(Query, Object.keys(Query.shape));
const noQuery = checkQuery(null, []);

/** Why no replica can be opened: a setting is missing or malformed. */
export class ReplicaMisconfigured extends Error {
  override readonly name = "ReplicaMisconfigured";
}

/** The paths and answers of the mesh's discovery. `open` returns the replica, or throws `ReplicaMisconfigured`. */
export function replicaRoutes(app: Hono, open: (c: Context) => Promise<Replica>): void {
  app.use(async (c, next) => {
    await next();
    setSafeHeaders(c.res.headers);
  });
  const paths = new PathTable(app.routes);
  app.use(
    crossOrigin({
      paths,
      requestHeaders: () => REQUEST_HEADERS,
      responseHeaders: () => RESPONSE_HEADERS,
      isExcluded: () => false,
      origins: (c) => env<ReplicaVariables>(c).CORS_ORIGINS,
      consumePreflight: limitReplicaPreflights(),
    }),
  );
  app.use(
    checkMethod(paths, (c, allowed) =>
      problem(c, {
        code: "method_not_allowed",
        detail: `a replica is read-only: this path does not support ${c.req.method}, only ${allowed}`,
      }),
    ),
  );
  app.onError((error, c) => {
    if (error instanceof ReplicaMisconfigured)
      return problem(c, { code: "misconfigured", detail: error.message });
    log.write("replica.request_failed", faultOf(error));
    return problem(c, { code: "internal", detail: "the replica failed to answer" });
  });
  app.notFound((c) =>
    problem(c, { code: "not_found", detail: `the path ${c.req.path} does not exist` }),
  );

  app.get(TROUBLESHOOTING_PATH, noQuery, troubleshootingPage);
  app.get(`${TROUBLESHOOTING_PATH}/:code`, noQuery, troubleshootingAnswer);

  app.get("/healthz", noQuery, async (c) => {
    const replica = await open(c);
    if ((await replica.mayRead(NO_TOKEN)) === null) return noDirectory(c, replica);
    const { condition, records, recordsKept } = replica.status;
    setAge(c, replica);
    keepWorking(c, replica);
    return c.json({
      status: condition === "current" ? "ok" : "stale",
      store: condition,
      all_records_kept: recordsKept === records,
    });
  });

  app.use("/v1/*", limitReads(open, tokenOf));
  app.use("/v1/*", async (c, next) => {
    await next();
    const replica = await open(c);
    if (c.res.ok) setAge(c, replica);
    keepWorking(c, replica);
  });

  app.get("/v1/pointers", async (c) => {
    const replica = await open(c);
    const allowed = await replica.mayRead(tokenOf(c));
    if (allowed === null) return noDirectory(c, replica);
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
    return list === null ? noDirectory(c, replica) : c.json(list);
  });

  app.get("/v1/pointers/:id", noQuery, async (c) => {
    const pointer = await oneOf(c, await open(c), (replica, id) => replica.pointer(id));
    return pointer instanceof Response ? pointer : c.json(pointer);
  });

  app.get("/v1/blobs/:id", noQuery, async (c) => {
    const replica = await open(c);
    const id = await oneOf(c, replica, async (_, named) => (replica.isNamed(named) ? named : null));
    if (id instanceof Response) return id;
    // Read only for a caller that may: until here, a blob that is there costs what an absent one does.
    const bytes = await replica.blob(id);
    if (bytes === null) return problem(c, RECORD_UNAVAILABLE);
    return c.body(bytes, 200, { "Content-Type": "application/octet-stream" });
  });
}

const noDirectory = (c: Context, { status: { condition } }: Replica): Response =>
  problem(c, { code: "unavailable", detail: NO_DIRECTORY[condition], retryAfter: RETRY });

/** Says how old the directory is, and why a kept one is served. */
function setAge(c: Context, { status: { condition, issuedAt } }: Replica): void {
  if (issuedAt === null) return;
  const age = Math.max(0, Math.floor((Date.now() - issuedAt) / SECOND));
  c.header(DIRECTORY_AGE_HEADER, String(age));
  if (condition !== "current") c.header(STALE_HEADER, condition);
}

/** A Worker ends what goes on after its answer, unless it is told of it. Other runtimes have no such context. */
function keepWorking(c: Context, { background }: Replica): void {
  if (background === null || getRuntimeKey() !== "workerd") return;
  c.executionCtx.waitUntil(background);
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
  if (allowed === null) return noDirectory(c, replica);
  return allowed && found !== null ? found : problem(c, NOTHING);
}

function tokenOf(c: Context): string {
  const shown = bearerToken(c.req.header("Authorization")) ?? "";
  return READER_TOKEN.test(shown) ? shown : NO_TOKEN;
}
