import type { OpenAPIHono } from "@hono/zod-openapi";
import { ORIGIN_HEADERS } from "../../durable/origin-headers.ts";
import type { AppContext, AppEnv } from "../context.ts";
import { problem } from "../problem.ts";

/** Where peers connect: `/v1/connect`, and `/ws`, which is go-p2p's default path. */
export function connectRoutes(app: OpenAPIHono<AppEnv>): void {
  app.get("/v1/connect", connect);
  app.get("/ws", connect);
}

async function connect(c: AppContext): Promise<Response> {
  if (c.req.header("Upgrade")?.toLowerCase() !== "websocket") {
    c.header("Upgrade", "websocket");
    return problem(c, { code: "upgrade_required", detail: "connect with a WebSocket client" });
  }
  if (c.req.header("Sec-WebSocket-Protocol") !== undefined) {
    return problem(c, {
      code: "invalid_request",
      detail: "this mesh speaks go-p2p 1.0, which names no subprotocol",
    });
  }
  // A 1.0 socket names no peer before its handshake, so it gets an object of its own, near where it came from.
  const session = c.env.PEER_SESSION.get(c.env.PEER_SESSION.newUniqueId());
  return session.fetch(new Request(c.req.raw, { headers: originHeaders(c.req.raw) }));
}

/** The request's headers with what the platform knows of its origin in place of whatever the client wrote there. */
function originHeaders(request: Request): Headers {
  const headers = new Headers(request.headers);
  const { latitude, longitude } = (request.cf ?? {}) as IncomingRequestCfProperties;
  headers.set(ORIGIN_HEADERS.address, request.headers.get("CF-Connecting-IP") ?? "");
  headers.set(ORIGIN_HEADERS.latitude, latitude ?? "");
  headers.set(ORIGIN_HEADERS.longitude, longitude ?? "");
  return headers;
}
