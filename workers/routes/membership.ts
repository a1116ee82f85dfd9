import { fromHex } from "../../src/base/bytes.ts";
import { err } from "../../src/base/result.ts";
import { peerIdOf } from "../../src/crypto/identity.ts";
import { AllowBody, AllowEntry, AllowList, AuthModeBody } from "../../src/protocol/http.ts";
import { PublicKeyHex } from "../../src/protocol/ids.ts";
import type { AppContext } from "../context.ts";
import { forward, forwardEmpty } from "../forward.ts";
import { lowOrderKeyError } from "../low-order-key.ts";
import { respond } from "../problem.ts";
import { bodyOf, jsonOf, noContent } from "../responses.ts";
import { routesTagged, type Router } from "../route.ts";

const { define } = routesTagged("admission", { public_key: PublicKeyHex });

const getMode = define("read", "get", "/v1/auth-mode", {
  operationId: "getAuthMode",
  summary:
    "Show the auth mode: open admits every peer that proves a key, allowlist only the listed keys",
  responses: { 200: jsonOf(AuthModeBody, "The mode") },
});
const setMode = define("administer", "put", "/v1/auth-mode", {
  operationId: "setAuthMode",
  summary: "Set the auth mode; allowlist ends the sessions of peers whose keys are not listed",
  request: { body: bodyOf(AuthModeBody, { mode: "allowlist" }) },
  responses: { 200: jsonOf(AuthModeBody, "The mode") },
  failures: ["unconfirmed"],
});
const list = define("read", "get", "/v1/allowlist", {
  operationId: "listAllowlist",
  summary: "List the keys that may join in allowlist mode",
  responses: { 200: jsonOf(AllowList, "The allowlist") },
});
const put = define("administer", "put", "/v1/allowlist/{public_key}", {
  operationId: "allowKey",
  summary: "Allow a key, with the roles that it may have",
  request: { body: bodyOf(AllowBody, { label: "the lab", roles: ["worker"] }) },
  responses: { 200: jsonOf(AllowEntry, "The entry") },
  failures: ["unusable_key", "conflict", "unconfirmed", "storage_full"],
});
const remove = define("administer", "delete", "/v1/allowlist/{public_key}", {
  operationId: "removeAllowlistEntry",
  summary: "Remove a key from the allowlist, and end its session if the auth mode is allowlist",
  responses: noContent("The key is removed"),
  failures: ["unusable_key", "unconfirmed"],
});

export function membershipRoutes(router: Router): void {
  router.route(getMode, (c) => forward(c, "get_auth_mode", {}));
  router.route(setMode, (c) => forward(c, "set_auth_mode", c.req.valid("json")));
  router.route(list, (c) => forward(c, "list_allowed", {}));
  router.route(put, async (c) => {
    const allowed = await allowKey(c, c.req.valid("param").public_key, c.req.valid("json"));
    return respond(c, allowed, (entry) => c.json(entry, 200));
  });
  router.route(remove, (c) =>
    forwardEmpty(c, "disallow", { publicKey: c.req.valid("param").public_key }),
  );
}

async function allowKey(c: AppContext, publicKey: string, body: AllowBody) {
  const { coordinator, config } = c.var;
  const fault = lowOrderKeyError(config, publicKey);
  if (fault !== null) return err(fault);
  const peerId = peerIdOf(fromHex(publicKey) as Uint8Array);
  return coordinator.call("allow", { ...body, publicKey, peerId });
}
