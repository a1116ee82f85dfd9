import type { z } from "@hono/zod-openapi";
import {
  DrainPeerBody,
  DrainPeersBody,
  MapView,
  PairRttView,
  PeerList,
  PeerQuery,
  PeerView,
  ScheduledPeers,
  SchedulePeersBody,
  ScoreView,
} from "../../src/protocol/http.ts";
import { SECOND } from "../../src/base/clock.ts";
import { PeerId } from "../../src/protocol/ids.ts";
import { forward, forwardEmpty } from "../forward.ts";
import { bodyOf, jsonOf, noContent } from "../responses.ts";
import { routesTagged, type Router } from "../route.ts";

const { define } = routesTagged("peers", { id: PeerId, other: PeerId });

const list = define("read_work", "get", "/v1/peers", {
  operationId: "listPeers",
  summary: "List peers, by ID",
  request: { query: PeerQuery },
  responses: { 200: jsonOf(PeerList, "One page of peers") },
});
const get = define("read_work", "get", "/v1/peers/{id}", {
  operationId: "getPeer",
  summary: "Show one peer",
  responses: { 200: jsonOf(PeerView, "The peer") },
});
const rtt = define("read_work", "get", "/v1/peers/{id}/rtt/{other}", {
  operationId: "estimateRoundTrip",
  summary: "Estimate the round-trip time between two peers",
  responses: { 200: jsonOf(PairRttView, "The estimate and its basis") },
});
const map = define("read", "get", "/v1/map", {
  operationId: "getMap",
  summary: "Show where the connected peers are, on Earth and in the network",
  responses: { 200: jsonOf(MapView, "At most 10,000 peers") },
});
const score = define("read_work", "get", "/v1/peers/{id}/score", {
  operationId: "getPeerScore",
  summary: "Show the factors of a peer's score",
  responses: { 200: jsonOf(ScoreView, "Each factor: raw, normalized, weighted") },
});
const forget = define("administer", "delete", "/v1/peers/{id}", {
  operationId: "forgetPeer",
  summary: "Remove a peer's record; a revocation of its key stays in force",
  responses: noContent("The record is removed"),
  failures: ["unconfirmed"],
});

const cordon = define("administer", "post", "/v1/peers/{id}/cordon", {
  operationId: "cordonPeer",
  summary: "Cordon a peer: it gets no new tasks until it is uncordoned",
  responses: { 200: jsonOf(PeerView, "The peer") },
  failures: ["not_found"],
});
const uncordon = define("administer", "post", "/v1/peers/{id}/uncordon", {
  operationId: "uncordonPeer",
  summary: "Uncordon a peer: it gets tasks again",
  responses: { 200: jsonOf(PeerView, "The peer") },
  failures: ["not_found"],
});
const drain = define("administer", "post", "/v1/peers/{id}/drain", {
  operationId: "drainPeer",
  summary:
    "Drain a peer: it gets no new tasks, hands back what it has not begun, finishes the rest and leaves",
  request: { body: bodyOf(DrainPeerBody, { timeout_seconds: 600 }) },
  responses: { 200: jsonOf(PeerView, "The peer") },
  failures: ["not_found"],
});
const cordonMany = define("administer", "post", "/v1/peer-batches/cordon", {
  operationId: "cordonPeers",
  summary: "Cordon the peers that meet the conditions",
  request: { body: bodyOf(SchedulePeersBody, { select: { capabilities: ["zone=a"] } }) },
  responses: { 200: jsonOf(ScheduledPeers, "The peers concerned") },
});
const uncordonMany = define("administer", "post", "/v1/peer-batches/uncordon", {
  operationId: "uncordonPeers",
  summary: "Uncordon the peers that meet the conditions",
  request: { body: bodyOf(SchedulePeersBody, { select: { capabilities: ["zone=a"] } }) },
  responses: { 200: jsonOf(ScheduledPeers, "The peers concerned") },
});
const drainMany = define("administer", "post", "/v1/peer-batches/drain", {
  operationId: "drainPeers",
  summary: "Drain the peers that meet the conditions",
  request: {
    body: bodyOf(DrainPeersBody, { select: { capabilities: ["zone=a"] }, timeout_seconds: 600 }),
  },
  responses: { 200: jsonOf(ScheduledPeers, "The peers concerned") },
});

const reset = define("administer", "post", "/v1/peers/{id}/reset", {
  operationId: "resetPeerCircuits",
  summary: "Close a peer's circuits: it gets tasks again at once",
  responses: { 200: jsonOf(PeerView, "The peer") },
  failures: ["not_found"],
});

export function peerRoutes(router: Router): void {
  router.route(list, (c) => forward(c, "list_peers", c.req.valid("query")));
  router.route(get, (c) => forward(c, "get_peer", c.req.valid("param")));
  router.route(rtt, (c) => forward(c, "get_rtt", c.req.valid("param")));
  router.route(map, (c) => forward(c, "get_map", {}));
  router.route(score, (c) => forward(c, "get_score", c.req.valid("param")));
  router.route(forget, (c) => forwardEmpty(c, "forget_peer", c.req.valid("param")));
  router.route(reset, (c) => forward(c, "reset_circuits", c.req.valid("param")));
  router.route(cordon, (c) =>
    forward(c, "schedule_peer", { ...c.req.valid("param"), action: "cordon" }),
  );
  router.route(uncordon, (c) =>
    forward(c, "schedule_peer", { ...c.req.valid("param"), action: "uncordon" }),
  );
  router.route(drain, (c) => {
    const timeoutMs = c.req.valid("json").timeout_seconds * SECOND;
    return forward(c, "schedule_peer", { ...c.req.valid("param"), action: "drain", timeoutMs });
  });
  router.route(cordonMany, (c) =>
    forward(c, "schedule_peers", { ...selected(c.req.valid("json")), action: "cordon" }),
  );
  router.route(uncordonMany, (c) =>
    forward(c, "schedule_peers", { ...selected(c.req.valid("json")), action: "uncordon" }),
  );
  router.route(drainMany, (c) => {
    const body = c.req.valid("json");
    const timeoutMs = body.timeout_seconds * SECOND;
    return forward(c, "schedule_peers", { ...selected(body), action: "drain", timeoutMs });
  });
}

const selected = ({ select, dry_run: dryRun, cursor }: z.infer<typeof SchedulePeersBody>) => ({
  select,
  dryRun,
  cursor,
});
