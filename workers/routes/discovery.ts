import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { kvStore } from "../../durable/kv-store.ts";
import { blobKey } from "../../src/discovery/publisher.ts";
import { DiscoveryKeys, PointerList, PointerQuery, PointerView } from "../../src/protocol/http.ts";
import { OpaqueId } from "../../src/protocol/ids.ts";
import type { AppEnv } from "../context.ts";
import { readDiscovery } from "../discovery-access.ts";
import { respond, problem } from "../problem.ts";
import { orUnavailable } from "../unavailable.ts";
import { failures, failuresOfOne, jsonOf, security } from "../responses.ts";

const tags = ["discovery"];
const params = z.object({ id: OpaqueId });

/** Asked for where the right to read is all that is wanted to know. */
const NO_ID = "0".repeat(32);

const mayList: MiddlewareHandler<AppEnv> = async (c, next) => {
  const read = await readDiscovery(c, NO_ID);
  if (!read.ok) return problem(c, read.error);
  if (read.value.allowed) return next();
  const detail = "send the header Authorization: Bearer TOKEN";
  return problem(c, { code: "unauthorized", detail });
};

const list = createRoute({
  method: "get",
  path: "/v1/pointers",
  summary:
    "List what is published of the peers that are here, or what changed of it: pointers, which reveal nothing by themselves",
  tags,
  security,
  // Judged before anything else of the request is looked at.
  middleware: mayList,
  request: { query: PointerQuery },
  responses: { 200: jsonOf(PointerList, "One page of pointers"), ...failures },
});
const get = createRoute({
  method: "get",
  path: "/v1/pointers/{id}",
  summary: "Show one pointer; absent, run out and not allowed answer alike",
  tags,
  security,
  request: { params },
  responses: { 200: jsonOf(PointerView, "The pointer"), ...failuresOfOne },
});
const blob = createRoute({
  method: "get",
  path: "/v1/blobs/{id}",
  summary: "Fetch a sealed record (STMF), which only its epoch's key opens",
  tags,
  security,
  request: { params },
  responses: {
    200: {
      description: "The container",
      content: { "application/octet-stream": { schema: z.string().meta({ format: "binary" }) } },
    },
    ...failuresOfOne,
  },
});
const keys = createRoute({
  method: "get",
  path: "/v1/discovery/keys",
  summary: "Hand out the keys that find and open peers, of every epoch that is not over",
  tags,
  security,
  responses: { 200: jsonOf(DiscoveryKeys, "The keys"), ...failures },
});

const NOTHING = { code: "not_found", detail: "there is nothing of this ID" } as const;

/** Routes that members read with an epoch's reader token, and callers with an API token. */
export function discoveryRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(list, async (c) => {
    const query = c.req.valid("query");
    return respond(c, await c.get("coordinator").call("list_pointers", { query }), (pointers) =>
      c.json(pointers, 200),
    );
  });
  app.openapi(get, async (c) =>
    respond(c, await readDiscovery(c, c.req.valid("param").id), ({ allowed, pointer }) =>
      allowed && pointer !== null ? c.json(pointer, 200) : (problem(c, NOTHING) as never),
    ),
  );
  app.openapi(blob, async (c) => {
    const { id } = c.req.valid("param");
    const store = kvStore(c.env.BLOBS, () => Date.now());
    const [read, found] = await Promise.all([
      readDiscovery(c, NO_ID),
      orUnavailable("the blob store", () => store.get(blobKey(id))),
    ]);
    if (!read.ok) return problem(c, read.error);
    return respond(c, found, (bytes) =>
      read.value.allowed && bytes !== null
        ? c.body(bytes, 200, { "Content-Type": "application/octet-stream" })
        : problem(c, NOTHING),
    );
  });
}

/** Behind `authorised`. */
export function discoveryKeyRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(keys, async (c) => {
    const { id } = c.get("caller");
    return respond(
      c,
      await c.get("coordinator").call("discovery_keys", { tokenId: id }),
      (handed) => c.json(handed, 200),
    );
  });
}
