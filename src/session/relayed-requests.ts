import type { Json } from "../base/json.ts";
import { REQUESTS_OUTSTANDING_MAX } from "../protocol/constants.ts";
import { GO_P2P_REPLIES, type GoP2pReply, type GoP2pRequest } from "../protocol/messages.ts";
import type { Move } from "./effects.ts";
import type { Message } from "./handlers/handler.ts";
import type { SessionContext } from "./context.ts";
import { compose } from "./messages.ts";
import { stay } from "./moves.ts";
import type { Active } from "./state.ts";

/** Asks the peer; whoever waits for the answer is known by the message's ID. */
export function sendRequest(
  session: Active,
  {
    id,
    request,
    payload,
  }: { readonly id: string; readonly request: GoP2pRequest; readonly payload: Json },
  context: SessionContext,
): Move {
  const envelope = { ...compose(context, session.claim.peerId, request, payload), id };
  const calls = [...session.relayedRequests, { id, type: request }].slice(
    -REQUESTS_OUTSTANDING_MAX,
  );
  return stay({ ...session, relayedRequests: calls }, { type: "message", envelope });
}

/** The answer to a call; null when the reply answers none, or not with the type that answers it. */
export function matchReply(session: Active, reply: Message<GoP2pReply>): Move | null {
  const open = session.relayedRequests.find(({ id }) => id === reply.replyTo);
  if (open === undefined) return null;
  if (reply.type !== "error" && reply.type !== GO_P2P_REPLIES[open.type]) return null;
  const answer = { type: reply.type, payload: reply.payload };
  return stay(
    { ...session, relayedRequests: session.relayedRequests.filter((other) => other !== open) },
    { type: "call_answered", callId: open.id, reply: answer },
  );
}
