import { z } from "@hono/zod-openapi";
import { PairRttView, PeerList, PeerQuery, PeerView, ScoreView } from "../../src/protocol/http.ts";
import { PeerId } from "../../src/protocol/ids.ts";
import { forward, forwardEmpty } from "../forward.ts";
import { jsonOf, noContent } from "../responses.ts";
import { defineRoute, type Router } from "../route.ts";

const tags = ["peers"];
const params = z.object({ id: PeerId });

const list = defineRoute({
  scope: "read_work",
  method: "get",
  path: "/v1/peers",
  summary: "List peers, by ID",
  tags,
  request: { query: PeerQuery },
  responses: { 200: jsonOf(PeerList, "One page of peers") },
});
const get = defineRoute({
  scope: "read_work",
  method: "get",
  path: "/v1/peers/{id}",
  summary: "Show one peer",
  tags,
  request: { params },
  responses: { 200: jsonOf(PeerView, "The peer") },
  failures: ["not_found"],
});
const rtt = defineRoute({
  scope: "read_work",
  method: "get",
  path: "/v1/peers/{id}/rtt/{other}",
  summary: "Estimate the round-trip time between two peers",
  tags,
  request: { params: params.extend({ other: PeerId }) },
  responses: { 200: jsonOf(PairRttView, "The estimate and its basis") },
  failures: ["not_found"],
});
const score = defineRoute({
  scope: "read_work",
  method: "get",
  path: "/v1/peers/{id}/score",
  summary: "Show the factors of a peer's score",
  tags,
  request: { params },
  responses: { 200: jsonOf(ScoreView, "Each factor: raw, normalized, weighted") },
  failures: ["not_found"],
});
const revoke = defineRoute({
  scope: "administer",
  method: "post",
  path: "/v1/peers/{id}/revoke",
  summary:
    "Revoke a peer: end its session, assign its tasks to other peers, refuse its key in every auth mode",
  tags,
  request: { params },
  responses: { 200: jsonOf(PeerView, "The peer is revoked and its session has ended") },
  failures: ["not_found", "unconfirmed"],
});
const forget = defineRoute({
  scope: "administer",
  method: "delete",
  path: "/v1/peers/{id}",
  summary: "Remove a peer's record; a revocation of its key stays in force",
  tags,
  request: { params },
  responses: noContent("The record is removed"),
  failures: ["not_found", "unconfirmed"],
});

export function peerRoutes(router: Router): void {
  router.route(list, (c) => forward(c, "list_peers", c.req.valid("query")));
  router.route(get, (c) => forward(c, "get_peer", c.req.valid("param")));
  router.route(rtt, (c) => forward(c, "get_rtt", c.req.valid("param")));
  router.route(score, (c) => forward(c, "get_score", c.req.valid("param")));
  router.route(revoke, (c) => forward(c, "revoke_peer", c.req.valid("param")));
  router.route(forget, (c) => forwardEmpty(c, "forget_peer", c.req.valid("param")));
}
