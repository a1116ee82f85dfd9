import { message } from "../messages.ts";
import { stay } from "../moves.ts";
import type { SessionContext } from "../context.ts";
import type { Move } from "../effects.ts";
import type { Active } from "../state.ts";
import type { Handler } from "./handler.ts";

/** Answers go-p2p's keepalive: a go-p2p node closes a connection that is silent for 40 s. */
export const handlePing: Handler<"ping"> = (session, { id, payload }, context) =>
  payload.confirm === true
    ? stay(session, { type: "await_answers", pingId: id, sentAt: payload.sentAt })
    : answerPing(session, { pingId: id, sentAt: payload.sentAt }, context);

export const answerPing = (
  session: Active,
  { pingId, sentAt }: { readonly pingId: string; readonly sentAt: number },
  context: SessionContext,
): Move =>
  stay(session, message(context, session, "pong", { sentAt, receivedAt: context.now }, pingId));
