import { z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { kvStore } from "../../durable/kv-store.ts";
import { err, ok } from "../../src/base/result.ts";
import type { DiscoveryRead } from "../../src/contract/discovery.ts";
import { blobKey } from "../../src/discovery/sealed-records.ts";
import type { MusterError } from "../../src/protocol/errors.ts";
import { DiscoveryKeys, PointerList, PointerQuery, PointerView } from "../../src/protocol/http.ts";
import { OpaqueId } from "../../src/protocol/ids.ts";
import type { AppEnv } from "../context.ts";
import { readDiscovery } from "../discovery-access.ts";
import { forward } from "../forward.ts";
import { problem, respond } from "../problem.ts";
import { jsonOf } from "../responses.ts";
import { routesTagged, type Router } from "../route.ts";
import { NO_ROOM_TO_READ } from "../../durable/coordinator-errors.ts";
import { orUnavailable } from "../unavailable.ts";

const { define } = routesTagged("discovery", { id: OpaqueId });

/** An ID that no pointer has, for requests that only ask whether the caller may read. */
const NO_ID = "0".repeat(32);

const requireReader: MiddlewareHandler<AppEnv> = async (c, next) => {
  const read = await readDiscovery(c, NO_ID);
  if (!read.ok) return problem(c, read.error);
  if (read.value.allowed) return next();
  const detail = "send the header Authorization: Bearer TOKEN, with a reader token or an API token";
  return problem(c, { code: "unauthorized", detail });
};

const list = define("reader_token", "get", "/v1/pointers", {
  operationId: "listPointers",
  summary: "List the pointers of the published peers, or the changes since a cursor",
  middleware: requireReader,
  request: { query: PointerQuery },
  responses: { 200: jsonOf(PointerList, "One page of pointers") },
});
const get = define("reader_token", "get", "/v1/pointers/{id}", {
  operationId: "getPointer",
  summary: "Show one pointer; absent, expired and not allowed have the same answer",
  responses: { 200: jsonOf(PointerView, "The pointer") },
});
const blob = define("reader_token", "get", "/v1/blobs/{id}", {
  operationId: "getBlob",
  summary: "Fetch a sealed record (STMF), which only its epoch's key opens",
  responses: {
    200: {
      description: "The container",
      content: { "application/octet-stream": { schema: z.string().meta({ format: "binary" }) } },
    },
  },
});
const keys = define("work", "get", "/v1/discovery/keys", {
  operationId: "getDiscoveryKeys",
  summary: "Show the keys that find and open peer records, of every epoch that has not expired",
  responses: { 200: jsonOf(DiscoveryKeys, "The keys") },
});

const ABSENT = { code: "not_found", detail: "no resource with this ID is published" } as const;

/** Members read these routes with an epoch's reader token, controllers with an API token. */
export function discoveryRoutes(router: Router): void {
  router.route(list, (c) => forward(c, "list_pointers", { query: c.req.valid("query") }));
  router.route(get, async (c) => {
    const read = await readDiscovery(c, c.req.valid("param").id);
    return respond(c, read.ok ? visiblePointer(read.value) : read, (pointer) =>
      c.json(pointer, 200),
    );
  });
  router.route(blob, async (c) => {
    const { id } = c.req.valid("param");
    const store = kvStore(c.env.BLOBS, () => Date.now());
    const [read, found] = await Promise.all([
      readDiscovery(c, NO_ID),
      orUnavailable(c.env.DISK, "the blob store", () => store.get(blobKey(id)), NO_ROOM_TO_READ),
    ]);
    if (!read.ok) return problem(c, read.error);
    return respond(c, found, (bytes) =>
      read.value.allowed && bytes !== null
        ? c.body(bytes, 200, { "Content-Type": "application/octet-stream" })
        : problem(c, ABSENT),
    );
  });
  router.route(keys, (c) => forward(c, "discovery_keys", { tokenId: c.var.caller.id }));
}

/** Absent and not allowed have the same answer (DS17). */
const visiblePointer = ({ allowed, pointer }: DiscoveryRead) =>
  allowed && pointer !== null ? ok(pointer) : err<MusterError>(ABSENT);
