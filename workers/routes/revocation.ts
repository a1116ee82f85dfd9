import { z } from "zod";
import { fromHex } from "../../src/base/bytes.ts";
import { isCanonicalKey, peerIdOf } from "../../src/crypto/identity.ts";
import { KEY_BYTES } from "../../src/protocol/constants.ts";
import { DenyList, DenyQuery, KeepTasksQuery, RevokedPeer } from "../../src/protocol/http.ts";
import { PublicKeyHex, type PeerId } from "../../src/protocol/ids.ts";
import { forward, forwardEmpty } from "../forward.ts";
import { jsonOf, noContent } from "../responses.ts";
import { routesTagged, type Router } from "../route.ts";

const PUBLIC_KEY_CHARS = 2 * KEY_BYTES;

/** A key, by itself or by the ID that is a hash of it. */
const KeyOrId = z
  .string()
  .regex(
    /^[0-9a-f]{32}(?:[0-9a-f]{32})?$/,
    "name a peer ID (32 lower-case hex characters) or a public key (64)",
  )
  // Another encoding of a key leads to another ID: to bar it would bar nobody.
  .refine(
    (text) => text.length < PUBLIC_KEY_CHARS || isCanonicalKey(fromHex(text) ?? new Uint8Array()),
    "this is not the canonical encoding of a public key; name the key as its peer shows it",
  )
  .meta({ description: "A peer's ID or public key, in hex; the mesh need not know it" });

const { define } = routesTagged("admission", { id: KeyOrId });

const revoke = define("administer", "post", "/v1/peers/{id}/revoke", {
  operationId: "revokePeer",
  summary:
    "Revoke a peer: end its session, assign the tasks that it holds to other peers, cancel the tasks that it submitted, refuse its key in every auth mode; also a key that the mesh has no record of",
  request: { query: KeepTasksQuery },
  responses: { 200: jsonOf(RevokedPeer, "The key is revoked and its session has ended") },
  failures: ["conflict", "unconfirmed"],
});
const list = define("read", "get", "/v1/denylist", {
  operationId: "listDenylist",
  summary: "List the keys that are refused in every auth mode, the newest first",
  request: { query: DenyQuery },
  responses: { 200: jsonOf(DenyList, "One page of keys, since when and by whom they are barred") },
});
const lift = define("administer", "delete", "/v1/denylist/{id}", {
  operationId: "liftRevocation",
  summary:
    "Lift the revocation of a key; it may connect again as the auth mode and its allowlist entry say",
  responses: noContent("The key is not refused any more"),
  failures: ["conflict"],
});

export function revocationRoutes(router: Router): void {
  router.route(revoke, (c) =>
    forward(c, "revoke_peer", {
      ...keyNamed(c.req.valid("param").id),
      keepTasks: c.req.valid("query").keep_tasks === "true",
    }),
  );
  router.route(list, (c) => forward(c, "list_denied", c.req.valid("query")));
  router.route(lift, (c) =>
    forwardEmpty(c, "lift_denial", { id: keyNamed(c.req.valid("param").id).id }),
  );
}

/** The ID of the key that a path names, and the key if the path has the key itself. */
function keyNamed(text: string): { readonly id: PeerId; readonly publicKey?: string } {
  if (!PublicKeyHex.safeParse(text).success) return { id: text };
  return { id: peerIdOf(fromHex(text) as Uint8Array), publicKey: text };
}
