import { toRfc3339 } from "../../src/base/clock.ts";
import {
  CallerView,
  CreateToken,
  KeepTasksQuery,
  NewTokenView,
  OwnerLimitsBody,
  TokenList,
  TokenQuery,
  TokenView,
} from "../../src/protocol/http.ts";
import { forward, forwardEmpty } from "../forward.ts";
import { bodyOf, jsonOf, noContent } from "../responses.ts";
import { routesTagged, type Router } from "../route.ts";

const { define } = routesTagged("access", { id: TokenView.shape.id });

const caller = define("read_work", "get", "/v1/caller", {
  operationId: "getCaller",
  summary: "Show what the token of this request may do, and until when",
  responses: { 200: jsonOf(CallerView, "The caller") },
});
const create = define("administer", "post", "/v1/tokens", {
  operationId: "createToken",
  summary: "Create an API token; only this response contains it",
  request: { body: bodyOf(CreateToken, { scope: "controller", label: "ci" }) },
  responses: { 201: jsonOf(NewTokenView, "The token") },
  failures: ["conflict", "storage_full"],
});
const list = define("administer", "get", "/v1/tokens", {
  operationId: "listTokens",
  summary: "List the API tokens, without their secrets, the oldest first",
  request: { query: TokenQuery },
  responses: { 200: jsonOf(TokenList, "One page of tokens") },
});
const update = define("administer", "patch", "/v1/tokens/{id}", {
  operationId: "updateToken",
  summary: "Change the weight and the limits of a token's tasks; absent fields stay as they are",
  request: { body: bodyOf(OwnerLimitsBody, { weight: 2 }) },
  responses: { 200: jsonOf(TokenView, "The token") },
  failures: ["not_found"],
});
const revoke = define("administer", "delete", "/v1/tokens/{id}", {
  operationId: "revokeToken",
  summary: "Revoke an API token, and cancel the tasks that were submitted with it",
  request: { query: KeepTasksQuery },
  responses: noContent("The token is no longer valid"),
  failures: ["unconfirmed"],
});

export function tokenRoutes(router: Router): void {
  router.route(caller, (c) => {
    const { id, scope, expiresAt } = c.var.caller;
    return c.json({ id, scope, expires_at: expiresAt === null ? null : toRfc3339(expiresAt) }, 200);
  });
  router.route(create, (c) => forward(c, "create_token", c.req.valid("json"), 201));
  router.route(list, (c) => forward(c, "list_tokens", c.req.valid("query")));
  router.route(update, (c) =>
    forward(c, "update_token", { ...c.req.valid("param"), ...c.req.valid("json") }),
  );
  router.route(revoke, (c) =>
    forwardEmpty(c, "revoke_token", {
      ...c.req.valid("param"),
      keepTasks: c.req.valid("query").keep_tasks === "true",
    }),
  );
}
