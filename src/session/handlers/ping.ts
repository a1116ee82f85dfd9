import { message } from "../messages.ts";
import { stay } from "../moves.ts";
import type { Handler } from "./handler.ts";

/** Answers go-p2p's keepalive: a go-p2p node closes a connection that is silent for 40 s. */
export const handlePing: Handler<"ping"> = (session, { id, payload }, context) =>
  stay(
    session,
    message(context, session, "pong", { sentAt: payload.sentAt, receivedAt: context.now }, id),
  );
