import { utf8Length } from "../../src/base/bytes.ts";
import type { Json } from "../../src/base/json.ts";
import { jsonFlaw } from "../../src/base/json-text/flaw.ts";
import { textOfJson, toJsonText } from "../../src/base/json-text/json-text.ts";
import { ExactMembers } from "../../src/base/json-text/read-json.ts";
import { err, ok, type Result } from "../../src/base/result.ts";
import { readBundle } from "../../src/crypto/deploy-bundle.ts";
import {
  DEPLOY_BODY_BYTES_MAX,
  RPC_TIMEOUT,
  RPC_VERSION,
  VALUE_DEPTH_MAX,
  payloadBytesMax,
} from "../../src/protocol/constants.ts";
import type { MusterError } from "../../src/protocol/errors.ts";
import { PeerReply, PeerRequest } from "../../src/protocol/http.ts";
import { PeerId } from "../../src/protocol/ids.ts";
import { withDeadline } from "../../src/base/deadline.ts";
import type { RequestOutcome } from "../../durable/rpc.ts";
import type { AppContext } from "../context.ts";
import { sendJson } from "../exact-json.ts";
import { respond } from "../problem.ts";
import { bodyOf, jsonOf } from "../responses.ts";
import { routesTagged, type Router } from "../route.ts";
import { orUnavailable } from "../unavailable.ts";

const { define } = routesTagged("peers", { id: PeerId });

const request = define("work", "post", "/v1/peers/{id}/requests", {
  operationId: "requestPeer",
  // A controller can already make a peer do the same by a task.
  summary: "Send one peer a go-p2p request and return its reply",
  bodyBytesMax: DEPLOY_BODY_BYTES_MAX,
  exactMembers: new ExactMembers(["payload"]),
  request: { body: bodyOf(PeerRequest, { type: "get_stats" }) },
  responses: { 200: jsonOf(PeerReply, "The peer's reply, which may be an `error`") },
  failures: ["not_found", "not_connected", "peer_timeout"],
});

export function peerRequestRoutes(router: Router): void {
  router.route(request, async (c) => {
    const reply = await requestPeer(c, c.req.valid("param").id, c.req.valid("json"));
    return respond(c, reply, (shown) =>
      sendJson(c, { ...shown, payload: toJsonText(shown.payload) }, 200),
    );
  });
}

async function requestPeer(
  c: AppContext,
  id: string,
  { type, payload, timeout_ms: ms }: PeerRequest,
): Promise<Result<PeerReply, MusterError>> {
  const text = textOfJson(payload);
  const bytesMax = payloadBytesMax(type === "deploy");
  if (utf8Length(text) > bytesMax)
    return err({
      code: "payload_too_large",
      detail: `the payload of a ${type} request holds at most ${bytesMax} bytes of JSON`,
    });
  const flaw = jsonFlaw(text, "payload", VALUE_DEPTH_MAX);
  if (flaw !== null)
    return err({
      code: "invalid_request",
      detail: `${flaw.path}: ${flaw.message}`,
      issues: [flaw],
    });
  if (type === "deploy" && text !== "null") {
    const bundle = readBundle(JSON.parse(text) as Json);
    if (!bundle.ok) return bundle;
  }
  const to = await c.get("coordinator").call("request_peer", { id, type });
  if (!to.ok) return to;
  const sessions = c.env.PEER_SESSION;
  const session = sessions.get(sessions.idFromString(to.value.session));
  const called = await orUnavailable<RequestOutcome>(c.env.DISK, "the peer's session", () =>
    withDeadline<RequestOutcome>(
      session.call(RPC_VERSION, to.value.epoch, type, payload, ms),
      ms + RPC_TIMEOUT,
    ),
  );
  if (!called.ok) return called;
  // The reply took a while: the coordinator judges the caller's token again with any command.
  const still = await c.get("coordinator").call("get_auth_mode", {});
  if (!still.ok) return still;
  switch (called.value.outcome) {
    case "answered":
      return ok(called.value.reply as PeerReply);
    case "no_session":
      return err({
        code: "peer_unavailable",
        detail:
          "the peer's session ended before the request was sent; try again when the peer is connected",
      });
    case "timeout":
      return err({ code: "peer_timeout", detail: `the peer did not answer within ${ms} ms` });
    case "too_large":
      return err({
        code: "payload_too_large",
        detail: `the payload has ${utf8Length(text)} bytes; in its hello this peer has set a smaller limit for frames (max_frame)`,
      });
    default:
      return called.value.outcome satisfies never;
  }
}
