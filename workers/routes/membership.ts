import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import { fromHex } from "../../src/base/bytes.ts";
import { err } from "../../src/base/result.ts";
import { peerIdOf } from "../../src/crypto/identity.ts";
import type { AllowBody as Allowance } from "../../src/protocol/http.ts";
import { AllowBody, AllowEntry, AllowList, AuthModeBody } from "../../src/protocol/http.ts";
import { PublicKeyHex } from "../../src/protocol/ids.ts";
import type { AppContext, AppEnv } from "../context.ts";
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
  unconfirmed,
} from "../responses.ts";
import { lowOrderKeyError } from "../low-order-key.ts";

const tags = ["admission"];
const params = z.object({ public_key: PublicKeyHex });

const getMode = createRoute({
  method: "get",
  path: "/v1/auth-mode",
  summary: "Who may join: anybody who proves a key (open), or those listed (allowlist)",
  tags,
  security,
  responses: { 200: jsonOf(AuthModeBody, "The mode"), ...failures },
});
const setMode = createRoute({
  method: "put",
  path: "/v1/auth-mode",
  summary: "Set the mode; tightening it ends the sessions that no longer qualify",
  tags,
  security,
  middleware: takesJson,
  request: { body: bodyOf(AuthModeBody) },
  responses: { 200: jsonOf(AuthModeBody, "The mode"), ...failuresOfBody, ...unconfirmed },
});
const list = createRoute({
  method: "get",
  path: "/v1/allowlist",
  summary: "List the keys that may join in allowlist mode",
  tags,
  security,
  responses: { 200: jsonOf(AllowList, "The allowlist"), ...failures },
});
const put = createRoute({
  method: "put",
  path: "/v1/allowlist/{public_key}",
  summary: "Allow a key, with the roles that it may have",
  tags,
  security,
  middleware: takesJson,
  request: { params, body: bodyOf(AllowBody) },
  responses: {
    200: jsonOf(AllowEntry, "The entry"),
    ...failuresOfBody,
    ...conflict,
    ...unconfirmed,
  },
});
const remove = createRoute({
  method: "delete",
  path: "/v1/allowlist/{public_key}",
  summary: "Remove a key and end its session if it no longer qualifies",
  tags,
  security,
  request: { params },
  responses: { 204: { description: "It is gone" }, ...failuresOfOne, ...unconfirmed },
});

export function membershipRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(getMode, async (c) =>
    respond(c, await c.get("coordinator").call("get_auth_mode", {}), (mode) => c.json(mode, 200)),
  );
  app.openapi(setMode, async (c) =>
    respond(c, await c.get("coordinator").call("set_auth_mode", c.req.valid("json")), (mode) =>
      c.json(mode, 200),
    ),
  );
  app.openapi(list, async (c) =>
    respond(c, await c.get("coordinator").call("list_allowed", {}), (entries) =>
      c.json(entries, 200),
    ),
  );
  app.openapi(put, async (c) => {
    const allowed = await admitKey(c, c.req.valid("param").public_key, c.req.valid("json"));
    return respond(c, allowed, (entry) => c.json(entry, 200));
  });
  app.openapi(remove, async (c) => {
    const publicKey = c.req.valid("param").public_key;
    return respond(c, await c.get("coordinator").call("disallow", { publicKey }), () =>
      c.body(null, 204),
    );
  });
}

async function admitKey(c: AppContext, publicKey: string, body: Allowance) {
  const { coordinator, config } = c.var;
  const fault = lowOrderKeyError(config, publicKey);
  if (fault !== null) return err(fault);
  const peerId = peerIdOf(fromHex(publicKey) as Uint8Array);
  return coordinator.call("allow", { ...body, publicKey, peerId });
}
