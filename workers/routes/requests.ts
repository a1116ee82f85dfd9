import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import { err, ok, type Result } from "../../src/base/result.ts";
import { RPC_TIMEOUT, RPC_VERSION } from "../../src/protocol/constants.ts";
import type { MusterError } from "../../src/protocol/errors.ts";
import { PeerReply, PeerRequest } from "../../src/protocol/http.ts";
import { PeerId } from "../../src/protocol/ids.ts";
import { withDeadline } from "../../durable/deadline.ts";
import type { Called } from "../../durable/rpc.ts";
import type { AppContext, AppEnv } from "../context.ts";
import { takesJson } from "../middleware.ts";
import { respond } from "../problem.ts";
import { orUnavailable } from "../unavailable.ts";
import {
  bodyOf,
  conflict,
  failuresOfBody,
  jsonOf,
  notFound,
  security,
  timedOut,
} from "../responses.ts";

const request = createRoute({
  method: "post",
  path: "/v1/peers/{id}/requests",
  summary: "Ask one peer one of go-p2p's requests, and return its reply",
  tags: ["peers"],
  security,
  middleware: takesJson,
  request: { params: z.object({ id: PeerId }), body: bodyOf(PeerRequest) },
  responses: {
    200: jsonOf(PeerReply, "What the peer answered, an `error` perhaps"),
    ...failuresOfBody,
    ...notFound,
    ...conflict,
    ...timedOut,
  },
});

export function requestRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(request, async (c) =>
    respond(c, await ask(c, c.req.valid("param").id, c.req.valid("json")), (reply) =>
      c.json(reply, 200),
    ),
  );
}

async function ask(
  c: AppContext,
  id: string,
  { type, payload, timeout_ms: ms }: PeerRequest,
): Promise<Result<PeerReply, MusterError>> {
  const to = await c.get("coordinator").call("request_peer", { id, type });
  if (!to.ok) return to;
  const sessions = c.env.PEER_SESSION;
  const session = sessions.get(sessions.idFromString(to.value.session));
  const called = await orUnavailable<Called>("the peer's session", () =>
    withDeadline<Called>(
      session.call(RPC_VERSION, to.value.epoch, type, payload, ms),
      ms + RPC_TIMEOUT,
    ),
  );
  if (!called.ok) return called;
  switch (called.value.outcome) {
    case "answered":
      return ok(called.value.reply as PeerReply);
    case "no_session":
      return err({ code: "peer_unavailable", detail: "the peer's session has just ended" });
    case "timeout":
      return err({ code: "peer_timeout", detail: `the peer did not answer within ${ms} ms` });
    default:
      return called.value.outcome satisfies never;
  }
}
