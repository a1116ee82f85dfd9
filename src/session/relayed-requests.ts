import { exactJsonOf, type ExactJson } from "../base/json-text/json-text.ts";
import { REQUESTS_OUTSTANDING_MAX } from "../protocol/constants.ts";
import { GO_P2P_REPLIES, type GoP2pReply, type GoP2pRequest } from "../protocol/messages.ts";
import { fitsFrame } from "./channel.ts";
import type { Move } from "./effects.ts";
import type { Message } from "./handlers/handler.ts";
import type { SessionContext } from "./context.ts";
import { compose } from "./messages.ts";
import { stay } from "./moves.ts";
import { requestPayload } from "./request-payload.ts";
import type { Active } from "./state.ts";

/**
 * Sends a go-p2p request to the peer. The message's ID tells which caller waits for the reply. A request that is larger than the peer's
 * frames is not sent: no reference can stand for it, because its caller waits for the reply of exactly this request.
 */
export function sendRequest(
  session: Active,
  {
    id,
    request,
    payload,
  }: { readonly id: string; readonly request: GoP2pRequest; readonly payload: ExactJson },
  context: SessionContext,
): Move {
  const { claim } = session;
  const sent = requestPayload(session, request, payload, context);
  const envelope = { ...compose(context, claim.peerId, request, sent), id };
  if (!fitsFrame(session.channel, envelope))
    return stay(session, { type: "call_too_large", callId: id });
  const calls = [...session.relayedRequests, { id, type: request }].slice(
    -REQUESTS_OUTSTANDING_MAX,
  );
  return stay({ ...session, relayedRequests: calls }, { type: "message", envelope });
}

/** Matches a reply to its relayed request; null when there is none, or the reply has the wrong type. */
export function matchReply(session: Active, reply: Message<GoP2pReply>): Move | null {
  const request = session.relayedRequests.find(({ id }) => id === reply.replyTo);
  if (request === undefined) return null;
  if (reply.type !== "error" && reply.type !== GO_P2P_REPLIES[request.type]) return null;
  const payload =
    reply.type === "error" ? exactJsonOf(reply.payload) : (reply.payload as ExactJson);
  const peerReply = { type: reply.type, payload };
  return stay(
    { ...session, relayedRequests: session.relayedRequests.filter((other) => other !== request) },
    { type: "call_answered", callId: request.id, reply: peerReply },
  );
}
