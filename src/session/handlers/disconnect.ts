import { CLOSE } from "../../protocol/errors.ts";
import { disconnectCommands, stay } from "../outgoing.ts";
import type { Handler } from "./handler.ts";

/** The peer leaves of its own will. */
export const handleDisconnect: Handler<"disconnect"> = (session, { payload }) => {
  const reason =
    payload.reason === "" ? "the peer disconnected" : `the peer disconnected: ${payload.reason}`;
  return stay(
    { state: "closed", claim: session.claim },
    { type: "close", code: CLOSE.normal, reason: "goodbye" },
    ...disconnectCommands(session, reason, false),
  );
};
