import type { SessionCommand } from "../contract/commands.ts";
import type { Intent, Move } from "./effects.ts";
import type { Session } from "./state.ts";

/** A move to this session, with what is to be done. */
export const stay = (session: Session, ...intents: readonly Intent[]): Move => ({
  session,
  intents,
});

/** Sends a command to the coordinator. `messageId`: the peer's message that caused it, which the answer replies to. */
export const command = (sent: SessionCommand, messageId: string | null = null): Intent => ({
  type: "command",
  command: sent,
  messageId,
});
