import { toHex } from "../../src/base/bytes.ts";
import {
  CreateJoinKey,
  JoinKeyList,
  JoinKeyView,
  NewJoinKeyView,
} from "../../src/protocol/http.ts";
import { meshLink } from "../../src/protocol/public-url.ts";
import { forward, forwardEmpty } from "../forward.ts";
import { respond } from "../problem.ts";
import { bodyOf, jsonOf, noContent } from "../responses.ts";
import { routesTagged, type Router } from "../route.ts";

const { define } = routesTagged("access", { id: JoinKeyView.shape.id });

const create = define("administer", "post", "/v1/join-keys", {
  operationId: "createJoinKey",
  summary:
    "Create a join key, which adds a peer to the allowlist; only this response contains it, with a link to share",
  request: { body: bodyOf(CreateJoinKey, { label: "the lab", uses: 10 }) },
  responses: { 201: jsonOf(NewJoinKeyView, "The join key") },
  failures: ["conflict", "storage_full"],
});
const list = define("administer", "get", "/v1/join-keys", {
  operationId: "listJoinKeys",
  summary: "List the join keys, without their secrets",
  responses: { 200: jsonOf(JoinKeyList, "The join keys") },
});
const revoke = define("administer", "delete", "/v1/join-keys/{id}", {
  operationId: "revokeJoinKey",
  summary: "Revoke a join key; the peers that it admitted stay on the allowlist",
  responses: noContent("The join key is no longer valid"),
});

export function joinKeyRoutes(router: Router): void {
  router.route(create, async (c) => {
    const result = await c.var.coordinator.call("create_join_key", c.req.valid("json"));
    return respond(c, result, (created) => {
      const meshKey = toHex(c.var.config.identities.current.publicKey);
      const host = c.req.header("Host") ?? new URL(c.req.url).host;
      const address = c.var.config.publicUrl?.replace(/^https?:\/\//, "") ?? host;
      const link = meshLink(address, meshKey, created.key);
      return c.json({ ...created, link }, 201);
    });
  });
  router.route(list, (c) => forward(c, "list_join_keys", {}));
  router.route(revoke, (c) => forwardEmpty(c, "revoke_join_key", c.req.valid("param")));
}
