import { SECOND } from "../base/clock.ts";
import type { DrainOrder } from "../peers/session-orders.ts";
import type { SessionContext } from "./context.ts";
import type { Move } from "./effects.ts";
import { message } from "./messages.ts";
import { stay } from "./moves.ts";
import type { Active } from "./state.ts";

/** Tells the peer that the operator drains it. A plain go-p2p node can't be told: its session ends when it has finished. */
export function orderDrain(
  session: Active,
  { reason, timeoutMs }: DrainOrder,
  context: SessionContext,
): Move {
  if (!session.claim.speaksMuster) return stay(session);
  const order = { reason, timeout_seconds: timeoutMs / SECOND };
  return stay(session, message(context, session, "drain", order));
}
