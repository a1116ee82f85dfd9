import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import { CreateToken, NewTokenView, TokenList, TokenView } from "../../src/protocol/http.ts";
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
const params = z.object({ id: TokenView.shape.id });

const create = createRoute({
  method: "post",
  path: "/v1/tokens",
  summary: "Create an API token; it is shown this once",
  tags,
  security,
  middleware: takesJson,
  request: { body: bodyOf(CreateToken) },
  responses: { 201: jsonOf(NewTokenView, "The token"), ...failuresOfBody, ...conflict },
});
const list = createRoute({
  method: "get",
  path: "/v1/tokens",
  summary: "List the API tokens, without what makes them work",
  tags,
  security,
  responses: { 200: jsonOf(TokenList, "The tokens"), ...failures },
});
const revoke = createRoute({
  method: "delete",
  path: "/v1/tokens/{id}",
  summary: "Revoke an API token",
  tags,
  security,
  request: { params },
  responses: { 204: { description: "It opens nothing any more" }, ...failuresOfOne },
});

export function tokenRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(create, async (c) =>
    respond(c, await c.get("coordinator").call("create_token", c.req.valid("json")), (token) =>
      c.json(token, 201),
    ),
  );
  app.openapi(list, async (c) =>
    respond(c, await c.get("coordinator").call("list_tokens", {}), (tokens) => c.json(tokens, 200)),
  );
  app.openapi(revoke, async (c) =>
    respond(c, await c.get("coordinator").call("revoke_token", c.req.valid("param")), () =>
      c.body(null, 204),
    ),
  );
}
