import { SECOND } from "../../src/base/clock.ts";
import { ok, type Result } from "../../src/base/result.ts";
import { HANDSHAKE_TIMEOUT, MUSTER_2_SUBPROTOCOL } from "../../src/protocol/constants.ts";
import type { MusterError } from "../../src/protocol/errors.ts";
import { checkConnect, ConnectQuery, type ConnectRequest } from "../connect-request.ts";
import { ORIGIN_HEADERS } from "../../durable/origin-headers.ts";
import { locate } from "../location.ts";
import type { AppContext } from "../context.ts";
import { limited } from "../address-budgets.ts";
import { countUnproved } from "../refusal-counts.ts";
import { respond, problem } from "../problem.ts";
import { orUnavailable } from "../unavailable.ts";
import { routesTagged, type Router } from "../route.ts";

const { defineRaw } = routesTagged("peers", {});

/** Peers connect to `/v1/connect`, or to `/ws`, the default path of go-p2p. */
export function connectRoutes(router: Router): void {
  router.rawRoute(connectRoute("connectPeer", "/v1/connect"), connect);
  router.rawRoute(connectRoute("connectGoP2pPeer", "/ws"), connect);
}

/** Raw: a WebSocket upgrade is not a response that the validating router supports. */
const connectRoute = (operationId: string, path: string) =>
  defineRaw("peer_proof", "get", path, {
    operationId,
    summary:
      "Connect as a peer by WebSocket: muster.2 (its subprotocol, and a proof in the query) or go-p2p (neither)",
    request: { query: ConnectQuery.partial() },
    responses: { 101: { description: "The session begins" } },
    failures: [
      "unknown_subprotocol",
      "bad_key",
      "bad_proof",
      "unknown_mesh_key",
      "not_a_websocket",
      "too_many_handshakes",
      "unavailable",
    ],
  });

async function connect(c: AppContext): Promise<Response> {
  const limit = limited(c, "handshakes", "handshakes");
  if (limit !== null) return refused(c, limit);
  // The proof is checked before the upgrade header: a WebSocket client does not see why it was refused, but a plain GET of the same URL does.
  const proved = await provedPeer(c);
  if (!proved.ok) return refused(c, proved.error);
  // HEAD is routed here too, and cannot become a WebSocket (RFC 6455 section 4.1).
  if (c.req.method !== "GET" || c.req.header("Upgrade")?.toLowerCase() !== "websocket") {
    c.header("Upgrade", "websocket");
    return problem(c, {
      code: "upgrade_required",
      detail: "connect to this path with a WebSocket client",
    });
  }
  const fault = protocolFault(c, proved.value);
  if (fault !== null) return refused(c, fault);
  const session = sessionFor(c, proved.value);
  const headers = await sessionHeaders(c, proved.value);
  // Without the query: the proof in it is checked, and nothing that the session logs should have it.
  const request = new Request(withoutQuery(c.req.url), { headers });
  const begun = await orUnavailable(c.env.DISK, "the session", () => session.fetch(request));
  if (begun.ok && begun.value.status === 429) {
    const detail = "this peer has other handshakes in progress; wait for the time in Retry-After";
    return refused(c, { code: "rate_limited", detail, retryAfter: HANDSHAKE_TIMEOUT / SECOND });
  }
  return respond(c, begun, (response) => response);
}

function refused(c: AppContext, error: MusterError): Response {
  countUnproved(c, error);
  return problem(c, error);
}

/** The peer that the query's proof identifies; null for a go-p2p socket, which identifies no peer yet. */
async function provedPeer(c: AppContext): Promise<Result<ConnectRequest | null, MusterError>> {
  const query = c.req.query();
  if (Object.keys(query).length === 0) return ok(null);
  const host = c.req.header("Host") ?? new URL(c.req.url).host;
  return checkConnect(query, host, c.var.config.identities, Date.now());
}

/** The error when subprotocol and query do not fit each other, or the mesh does not speak that protocol; else null. */
function protocolFault(c: AppContext, proved: ConnectRequest | null): MusterError | null {
  const asked =
    c.req
      .header("Sec-WebSocket-Protocol")
      ?.split(",")
      .map((name) => name.trim()) ?? [];
  if (proved !== null) {
    if (asked.includes(MUSTER_2_SUBPROTOCOL)) return null;
    return {
      code: "invalid_request",
      detail: `a proof in the query requires the WebSocket subprotocol ${MUSTER_2_SUBPROTOCOL}`,
    };
  }
  if (asked.includes(MUSTER_2_SUBPROTOCOL)) {
    return {
      code: "invalid_request",
      detail: "the subprotocol muster.2 requires a proof in the query: peer, pub, mesh, t, proof",
    };
  }
  if (asked.length > 0) {
    return {
      code: "invalid_request",
      detail: `the subprotocol ${asked.join(", ")} is unknown; use ${MUSTER_2_SUBPROTOCOL}, or none for go-p2p`,
    };
  }
  if (c.var.config.goP2p) return null;
  return {
    code: "version_unsupported",
    detail: "this mesh does not accept go-p2p; connect with muster.2",
  };
}

/** All sessions of a proved peer are in the object of its ID; a go-p2p socket gets a new object, near its origin. */
function sessionFor(c: AppContext, proved: ConnectRequest | null) {
  const sessions = c.env.PEER_SESSION;
  return sessions.get(
    proved === null ? sessions.newUniqueId() : sessions.idFromName(proved.peerId),
  );
}

function withoutQuery(url: string): URL {
  const bare = new URL(url);
  bare.search = "";
  return bare;
}

/** The request's headers, with the origin headers set by the gateway; the client's values of them are dropped. */
async function sessionHeaders(c: AppContext, proved: ConnectRequest | null): Promise<Headers> {
  const { raw: request } = c.req;
  const { address, config } = c.var;
  const headers = new Headers(request.headers);
  for (const name of Object.values(ORIGIN_HEADERS)) headers.delete(name);
  const platform = (request.cf ?? {}) as Partial<IncomingRequestCfProperties>;
  const { clientTcpRtt } = platform;
  const located = await locate(config.locations, address, platform, (url, init) =>
    fetch(url, init),
  );
  headers.set(ORIGIN_HEADERS.address, address);
  headers.set(ORIGIN_HEADERS.latitude, String(located.place?.latitude ?? ""));
  headers.set(ORIGIN_HEADERS.longitude, String(located.place?.longitude ?? ""));
  headers.set(ORIGIN_HEADERS.placeSource, encodeURIComponent(located.source));
  headers.set(ORIGIN_HEADERS.network, located.network);
  headers.set(ORIGIN_HEADERS.colo, located.colo);
  headers.set(ORIGIN_HEADERS.tcpRtt, clientTcpRtt === undefined ? "" : String(clientTcpRtt));
  if (proved !== null) {
    headers.set(ORIGIN_HEADERS.peer, proved.peerId);
    headers.set(ORIGIN_HEADERS.mesh, proved.meshId);
  }
  return headers;
}
