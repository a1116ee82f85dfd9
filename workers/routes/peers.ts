import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import { PairRttView, PeerList, PeerQuery, PeerView, ScoreView } from "../../src/protocol/http.ts";
import { PeerId } from "../../src/protocol/ids.ts";
import type { AppEnv } from "../context.ts";
import { respond } from "../problem.ts";
import { failures, failuresOfOne, jsonOf, security, unconfirmed } from "../responses.ts";

const tags = ["peers"];
const params = z.object({ id: PeerId });

const list = createRoute({
  method: "get",
  path: "/v1/peers",
  summary: "List peers, by ID",
  tags,
  security,
  request: { query: PeerQuery },
  responses: { 200: jsonOf(PeerList, "One page of peers"), ...failures },
});
const get = createRoute({
  method: "get",
  path: "/v1/peers/{id}",
  summary: "Show one peer",
  tags,
  security,
  request: { params },
  responses: { 200: jsonOf(PeerView, "The peer"), ...failuresOfOne },
});
const rtt = createRoute({
  method: "get",
  path: "/v1/peers/{id}/rtt/{other}",
  summary: "Estimate the round trip between two peers",
  tags,
  security,
  request: { params: params.extend({ other: PeerId }) },
  responses: { 200: jsonOf(PairRttView, "The estimate, and what it rests on"), ...failuresOfOne },
});
const score = createRoute({
  method: "get",
  path: "/v1/peers/{id}/score",
  summary: "Show what a peer's score is made of",
  tags,
  security,
  request: { params },
  responses: { 200: jsonOf(ScoreView, "Each factor: raw, normalised, weighted"), ...failuresOfOne },
});
const revoke = createRoute({
  method: "post",
  path: "/v1/peers/{id}/revoke",
  summary:
    "Revoke a peer: end its session, give its work to others, keep its key out in every auth mode",
  tags,
  security,
  request: { params },
  responses: {
    200: jsonOf(PeerView, "Revoked, and its session is over"),
    ...failuresOfOne,
    ...unconfirmed,
  },
});
const forget = createRoute({
  method: "delete",
  path: "/v1/peers/{id}",
  summary: "Remove a peer's record; a revocation of its key stays",
  tags,
  security,
  request: { params },
  responses: { 204: { description: "It is gone" }, ...failuresOfOne, ...unconfirmed },
});

export function peerRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(list, async (c) =>
    respond(c, await c.get("coordinator").call("list_peers", c.req.valid("query")), (peers) =>
      c.json(peers, 200),
    ),
  );
  app.openapi(get, async (c) =>
    respond(c, await c.get("coordinator").call("get_peer", c.req.valid("param")), (peer) =>
      c.json(peer, 200),
    ),
  );
  app.openapi(rtt, async (c) =>
    respond(c, await c.get("coordinator").call("get_rtt", c.req.valid("param")), (pair) =>
      c.json(pair, 200),
    ),
  );
  app.openapi(score, async (c) =>
    respond(c, await c.get("coordinator").call("get_score", c.req.valid("param")), (shown) =>
      c.json(shown, 200),
    ),
  );
  app.openapi(revoke, async (c) =>
    respond(c, await c.get("coordinator").call("revoke_peer", c.req.valid("param")), (peer) =>
      c.json(peer, 200),
    ),
  );
  app.openapi(forget, async (c) =>
    respond(c, await c.get("coordinator").call("forget_peer", c.req.valid("param")), () =>
      c.body(null, 204),
    ),
  );
}
