import { message } from "../messages.ts";
import { stay } from "../moves.ts";
import type { Handler } from "./handler.ts";

/** go-p2p drops a connection that is silent for 40 s: its keepalive is answered. */
export const handlePing: Handler<"ping"> = (session, { id, payload }, context) =>
  stay(
    session,
    message(context, session, "pong", { sentAt: payload.sentAt, receivedAt: context.now }, id),
  );
