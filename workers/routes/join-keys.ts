import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import { toHex } from "../../src/base/bytes.ts";
import {
  CreateJoinKey,
  JoinKeyList,
  JoinKeyView,
  NewJoinKeyView,
} from "../../src/protocol/http.ts";
import type { AppEnv } from "../context.ts";
import { takesJson } from "../middleware.ts";
import { respond } from "../problem.ts";
import {
  bodyOf,
  conflict,
  failures,
  failuresOfBody,
  failuresOfOne,
  jsonOf,
  security,
} from "../responses.ts";

const tags = ["access"];
const params = z.object({ id: JoinKeyView.shape.id });

const create = createRoute({
  method: "post",
  path: "/v1/join-keys",
  summary:
    "Create a join key, which adds a peer to the allowlist; it is shown this once, with a link that carries it",
  tags,
  security,
  middleware: takesJson,
  request: { body: bodyOf(CreateJoinKey) },
  responses: { 201: jsonOf(NewJoinKeyView, "The join key"), ...failuresOfBody, ...conflict },
});
const list = createRoute({
  method: "get",
  path: "/v1/join-keys",
  summary: "List the join keys, without what makes them work",
  tags,
  security,
  responses: { 200: jsonOf(JoinKeyList, "The join keys"), ...failures },
});
const revoke = createRoute({
  method: "delete",
  path: "/v1/join-keys/{id}",
  summary: "Revoke a join key; peers that it has admitted stay",
  tags,
  security,
  request: { params },
  responses: { 204: { description: "It opens nothing any more" }, ...failuresOfOne },
});

export function joinKeyRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(create, async (c) =>
    respond(
      c,
      await c.get("coordinator").call("create_join_key", c.req.valid("json")),
      (created) => {
        const meshKey = toHex(c.get("config").identities.current.publicKey);
        const host = c.req.header("Host") ?? new URL(c.req.url).host;
        return c.json(
          { ...created, link: `muster://${host}/#${meshKey}&join=${created.key}` },
          201,
        );
      },
    ),
  );
  app.openapi(list, async (c) =>
    respond(c, await c.get("coordinator").call("list_join_keys", {}), (keys) => c.json(keys, 200)),
  );
  app.openapi(revoke, async (c) =>
    respond(c, await c.get("coordinator").call("revoke_join_key", c.req.valid("param")), () =>
      c.body(null, 204),
    ),
  );
}
