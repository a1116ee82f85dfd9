import { VIOLATIONS_TOLERATED } from "../protocol/constants.ts";
import type { SessionFault } from "../protocol/errors.ts";
import type { Move } from "./effects.ts";
import type { SessionContext } from "./context.ts";
import { end } from "./end.ts";
import { errorReply } from "./messages.ts";
import { stay } from "./moves.ts";
import type { Active, Proving } from "./state.ts";

/** Only the handshake of go-p2p 1.0 uses text frames. */
export const TEXT_FRAME: SessionFault = {
  code: "out_of_place",
  detail: "a text frame after the handshake: send binary frames",
};

/** Counts a frame that an honest peer does not send, and replies with the fault if the message is known. The third ends the session. */
export function strike(
  session: Proving | Active,
  fault: SessionFault,
  context: SessionContext,
  replyTo?: string,
): Move {
  const strikes = session.strikes + 1;
  const replies = replyTo === undefined ? [] : [errorReply(context, session, fault, replyTo)];
  if (strikes > VIOLATIONS_TOLERATED) return end(session, fault, ...replies);
  return stay({ ...session, strikes }, ...replies);
}
