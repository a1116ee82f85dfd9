import type { Context, Hono } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";
import type { MusterError } from "../src/protocol/errors.ts";
import type { Replica } from "../src/discovery/replica.ts";
import { PointerQuery } from "../src/protocol/http.ts";
import { OpaqueId } from "../src/protocol/ids.ts";
import { bearerToken } from "./bearer-token.ts";
import { issuesOf, problem } from "./problem.ts";
import { setSafeHeaders } from "./safe-headers.ts";

/** What nobody's token is: whoever shows none is judged by it. */
const NO_TOKEN = "0".repeat(64);
const READER_TOKEN = /^[0-9a-f]{64}$/;
/** Seconds after which a store that did not answer may do so again. */
const RETRY = 2;

const NOTHING: MusterError = { code: "not_found", detail: "there is nothing of this ID" };
const EMPTY: MusterError = {
  code: "unavailable",
  detail: "the mesh has not copied its discovery here, or the store does not answer; try again",
  retryAfter: RETRY,
};

/** A cursor is an ID here. */
const Query = PointerQuery.extend({ cursor: OpaqueId.optional() });

/** The same paths and answers as the mesh's own discovery. `open` gives the replica, or throws what is not configured. */
export function replicaRoutes(app: Hono, open: (c: Context) => Promise<Replica>): void {
  app.use(async (c, next) => {
    await next();
    setSafeHeaders(c.res.headers);
  });
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (c, methods) => {
        c.header("Allow", methods.join(", "));
        return problem(c, { code: "method_not_allowed", detail: "a replica is for reading alone" });
      },
    }),
  );
  app.onError((error, c) => {
    console.error("replica", { error: String(error) });
    return problem(c, EMPTY);
  });
  app.notFound((c) => problem(c, { code: "not_found", detail: `there is no ${c.req.path}` }));

  app.get("/healthz", async (c) => {
    const ready = (await (await open(c)).mayRead(NO_TOKEN)) !== null;
    return ready ? c.json({ status: "ok" }) : problem(c, EMPTY);
  });

  app.get("/v1/pointers", async (c) => {
    const replica = await open(c);
    const allowed = await replica.mayRead(tokenOf(c));
    if (allowed === null) return problem(c, EMPTY);
    if (!allowed) {
      const detail = "send the header Authorization: Bearer TOKEN, with the epoch's reader token";
      return problem(c, { code: "unauthorized", detail });
    }
    const query = Query.safeParse(c.req.query());
    if (!query.success) {
      const issues = issuesOf(query.error);
      return problem(c, { code: "invalid_request", detail: "the query is not valid", issues });
    }
    const list = await replica.list(query.data);
    return list === null ? problem(c, EMPTY) : c.json(list);
  });

  app.get("/v1/pointers/:id", async (c) => {
    const pointer = await oneOf(c, await open(c), (replica, id) => replica.pointer(id));
    return pointer instanceof Response ? pointer : c.json(pointer);
  });

  app.get("/v1/blobs/:id", async (c) => {
    const bytes = await oneOf(c, await open(c), (replica, id) => replica.blob(id));
    if (bytes instanceof Response) return bytes;
    return c.body(bytes, 200, { "Content-Type": "application/octet-stream" });
  });
}

/**
 * What is asked for, or the answer that it is not to be had. Whether the caller may is asked, and the thing looked up, in
 * every case: absent and not allowed look alike from outside (DS17).
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
