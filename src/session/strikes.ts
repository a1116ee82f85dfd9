import { VIOLATIONS_TOLERATED } from "../protocol/constants.ts";
import type { SessionFault } from "../protocol/errors.ts";
import type { Move } from "./effects.ts";
import type { SessionContext } from "./context.ts";
import { end } from "./end.ts";
import { errorReply } from "./messages.ts";
import { stay } from "./moves.ts";
import type { Active, Proving } from "./state.ts";

/** Text is for 1.0's handshake alone. */
export const TEXT_FRAME: SessionFault = {
  code: "out_of_place",
  detail: "the handshake is over: frames are binary now",
};

/** Something came that an honest peer does not send: it is answered where it can be, and the third ends the session. */
export function strike(
  session: Proving | Active,
  fault: SessionFault,
  context: SessionContext,
  replyTo?: string,
): Move {
  const strikes = session.strikes + 1;
  const answer = replyTo === undefined ? [] : [errorReply(context, session, fault, replyTo)];
  if (strikes > VIOLATIONS_TOLERATED) return end(session, fault, ...answer);
  return stay({ ...session, strikes }, ...answer);
}
