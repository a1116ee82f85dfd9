import { PairRttView, PeerList, PeerQuery, PeerView, ScoreView } from "../../src/protocol/http.ts";
import { PeerId } from "../../src/protocol/ids.ts";
import { forward, forwardEmpty } from "../forward.ts";
import { jsonOf, noContent } from "../responses.ts";
import { routesTagged, type Router } from "../route.ts";

const { define } = routesTagged("peers", { id: PeerId, other: PeerId });

const list = define("read_work", "get", "/v1/peers", {
  summary: "List peers, by ID",
  request: { query: PeerQuery },
  responses: { 200: jsonOf(PeerList, "One page of peers") },
});
const get = define("read_work", "get", "/v1/peers/{id}", {
  summary: "Show one peer",
  responses: { 200: jsonOf(PeerView, "The peer") },
});
const rtt = define("read_work", "get", "/v1/peers/{id}/rtt/{other}", {
  summary: "Estimate the round-trip time between two peers",
  responses: { 200: jsonOf(PairRttView, "The estimate and its basis") },
});
const score = define("read_work", "get", "/v1/peers/{id}/score", {
  summary: "Show the factors of a peer's score",
  responses: { 200: jsonOf(ScoreView, "Each factor: raw, normalized, weighted") },
});
const revoke = define("administer", "post", "/v1/peers/{id}/revoke", {
  summary:
    "Revoke a peer: end its session, assign its tasks to other peers, refuse its key in every auth mode",
  responses: { 200: jsonOf(PeerView, "The peer is revoked and its session has ended") },
  failures: ["not_found", "unconfirmed"],
});
const forget = define("administer", "delete", "/v1/peers/{id}", {
  summary: "Remove a peer's record; a revocation of its key stays in force",
  responses: noContent("The record is removed"),
  failures: ["unconfirmed"],
});

export function peerRoutes(router: Router): void {
  router.route(list, (c) => forward(c, "list_peers", c.req.valid("query")));
  router.route(get, (c) => forward(c, "get_peer", c.req.valid("param")));
  router.route(rtt, (c) => forward(c, "get_rtt", c.req.valid("param")));
  router.route(score, (c) => forward(c, "get_score", c.req.valid("param")));
  router.route(revoke, (c) => forward(c, "revoke_peer", c.req.valid("param")));
  router.route(forget, (c) => forwardEmpty(c, "forget_peer", c.req.valid("param")));
}
