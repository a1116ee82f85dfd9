import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import { kvBlobStore } from "../../durable/kv-blob-store.ts";
import { Page, PointerList, PointerView } from "../../src/protocol/http.ts";
import { OpaqueId } from "../../src/protocol/ids.ts";
import type { AppEnv } from "../context.ts";
import { answer, problem } from "../problem.ts";
import { reach } from "../reach.ts";
import { failures, failuresOfOne, jsonOf, security } from "../responses.ts";

const tags = ["discovery"];
const params = z.object({ id: OpaqueId });

const list = createRoute({
  method: "get",
  path: "/v1/pointers",
  summary:
    "List what is published of the peers that are here: pointers, which reveal nothing by themselves",
  tags,
  security,
  request: { query: Page },
  responses: { 200: jsonOf(PointerList, "One page of pointers"), ...failures },
});
const get = createRoute({
  method: "get",
  path: "/v1/pointers/{id}",
  summary: "Show one pointer",
  tags,
  security,
  request: { params },
  responses: { 200: jsonOf(PointerView, "The pointer"), ...failuresOfOne },
});
const blob = createRoute({
  method: "get",
  path: "/v1/blobs/{id}",
  summary: "Fetch a sealed record (STMF); only the discovery key opens it",
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

export function discoveryRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(list, async (c) =>
    answer(c, await c.get("coordinator").call("list_pointers", c.req.valid("query")), (pointers) =>
      c.json(pointers, 200),
    ),
  );
  app.openapi(get, async (c) =>
    answer(c, await c.get("coordinator").call("get_pointer", c.req.valid("param")), (pointer) =>
      c.json(pointer, 200),
    ),
  );
  app.openapi(blob, async (c) => {
    const { id } = c.req.valid("param");
    const found = await reach("the blob store", () => kvBlobStore(c.env.BLOBS).get(id));
    return answer(c, found, (bytes) =>
      bytes === null
        ? problem(c, { code: "not_found", detail: "there is no blob of this ID" })
        : c.body(bytes as Uint8Array<ArrayBuffer>, 200, {
            "Content-Type": "application/octet-stream",
          }),
    );
  });
}
