import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { AddressLimiter } from "../../src/access/address-limiter.ts";
import { SECOND } from "../../src/base/clock.ts";
import { ok, type Result } from "../../src/base/result.ts";
import { HANDSHAKE_TIMEOUT, MUSTER_2_SUBPROTOCOL } from "../../src/protocol/constants.ts";
import type { MusterError } from "../../src/protocol/errors.ts";
import { checkConnect, ConnectQuery, type ConnectRequest } from "../connect-request.ts";
import { ORIGIN_HEADERS } from "../../durable/origin-headers.ts";
import type { AppContext, AppEnv } from "../context.ts";
import { respond, problem } from "../problem.ts";
import { orUnavailable } from "../unavailable.ts";
import { failuresOfConnect } from "../responses.ts";

/** Where peers connect: `/v1/connect`, and `/ws`, which is go-p2p's default path. */
export function connectRoutes(app: OpenAPIHono<AppEnv>): void {
  const handshakes = new AddressLimiter();
  for (const path of ["/v1/connect", "/ws"]) {
    // Not `app.openapi`: a WebSocket is no answer that it knows.
    app.openAPIRegistry.registerPath(described(path));
    app.get(path, (c) => connect(c, handshakes));
  }
}

const described = (path: string) =>
  createRoute({
    method: "get",
    path,
    summary:
      "Connect as a peer: a WebSocket that speaks muster.2 (subprotocol, and a proof in the query) or go-p2p 1.0 (neither)",
    tags: ["peers"],
    request: { query: ConnectQuery.partial() },
    responses: { 101: { description: "The session begins" }, ...failuresOfConnect },
  });

async function connect(c: AppContext, handshakes: AddressLimiter): Promise<Response> {
  const { config } = c.var;
  const wait = handshakes.take(addressOf(c.req.raw), config.handshakesPerMinute, Date.now());
  if (wait > 0) {
    const detail = "too many handshakes from this address";
    return problem(c, { code: "rate_limited", detail, retryAfter: wait });
  }
  // A proof is judged before the upgrade is asked for: a refused WebSocket can't say why, and the same URL then can.
  const proved = await provedPeer(c);
  if (!proved.ok) return problem(c, proved.error);
  // HEAD comes here too, and can't become a WebSocket (RFC 6455 §4.1).
  if (c.req.method !== "GET" || c.req.header("Upgrade")?.toLowerCase() !== "websocket") {
    c.header("Upgrade", "websocket");
    return problem(c, { code: "upgrade_required", detail: "connect with a WebSocket client" });
  }
  const fault = protocolFault(c, proved.value);
  if (fault !== null) return problem(c, fault);
  const session = sessionFor(c, proved.value);
  const request = new Request(c.req.raw, { headers: sessionHeaders(c.req.raw, proved.value) });
  const begun = await orUnavailable("the session", () => session.fetch(request));
  if (begun.ok && begun.value.status === 429) {
    const detail = "this peer is within other handshakes just now";
    return problem(c, { code: "rate_limited", detail, retryAfter: HANDSHAKE_TIMEOUT / SECOND });
  }
  return respond(c, begun, (response) => response);
}

/** Who has proved itself in the query; null for a go-p2p 1.0 socket, which names nobody. */
async function provedPeer(c: AppContext): Promise<Result<ConnectRequest | null, MusterError>> {
  const query = c.req.query();
  if (Object.keys(query).length === 0) return ok(null);
  const host = c.req.header("Host") ?? new URL(c.req.url).host;
  return checkConnect(query, host, c.var.config.identities, Date.now());
}

/** Whether subprotocol and query belong together, and the mesh speaks what they ask for. */
function protocolFault(c: AppContext, proved: ConnectRequest | null): MusterError | null {
  const asked =
    c.req
      .header("Sec-WebSocket-Protocol")
      ?.split(",")
      .map((name) => name.trim()) ?? [];
  if (proved !== null) {
    if (asked.includes(MUSTER_2_SUBPROTOCOL)) return null;
    return { code: "invalid_request", detail: `ask for the subprotocol ${MUSTER_2_SUBPROTOCOL}` };
  }
  if (asked.includes(MUSTER_2_SUBPROTOCOL)) {
    return {
      code: "invalid_request",
      detail: "muster.2 needs its proof in the query: peer, pub, mesh, t, proof",
    };
  }
  if (asked.length > 0) {
    return {
      code: "invalid_request",
      detail: `this mesh speaks ${MUSTER_2_SUBPROTOCOL}, and go-p2p 1.0 without a subprotocol`,
    };
  }
  if (c.var.config.goP2p) return null;
  return { code: "version_unsupported", detail: "this mesh speaks muster.2 alone" };
}

/** A proved peer's sessions all live in the object of its ID; a 1.0 socket gets an object of its own, near its origin. */
function sessionFor(c: AppContext, proved: ConnectRequest | null) {
  const sessions = c.env.PEER_SESSION;
  return sessions.get(
    proved === null ? sessions.newUniqueId() : sessions.idFromName(proved.peerId),
  );
}

const addressOf = (request: Request): string => request.headers.get("CF-Connecting-IP") ?? "";

/** The request's headers with what the gateway knows in place of whatever the client wrote there. */
function sessionHeaders(request: Request, proved: ConnectRequest | null): Headers {
  const headers = new Headers(request.headers);
  for (const name of Object.values(ORIGIN_HEADERS)) headers.delete(name);
  const { latitude, longitude, asn, colo, clientTcpRtt } = (request.cf ??
    {}) as Partial<IncomingRequestCfProperties>;
  headers.set(ORIGIN_HEADERS.address, addressOf(request));
  headers.set(ORIGIN_HEADERS.latitude, latitude ?? "");
  headers.set(ORIGIN_HEADERS.longitude, longitude ?? "");
  headers.set(ORIGIN_HEADERS.network, asn === undefined ? "" : `AS${asn}`);
  headers.set(ORIGIN_HEADERS.colo, colo ?? "");
  headers.set(ORIGIN_HEADERS.tcpRtt, clientTcpRtt === undefined ? "" : String(clientTcpRtt));
  if (proved !== null) {
    headers.set(ORIGIN_HEADERS.peer, proved.peerId);
    headers.set(ORIGIN_HEADERS.mesh, proved.meshId);
  }
  return headers;
}
