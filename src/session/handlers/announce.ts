import { command, stay } from "../moves.ts";
import type { Handler } from "./handler.ts";

/** The peer's capabilities or slots have changed; the coordinator decides which tasks it gets now. */
export const handleAnnounce: Handler<"announce"> = (session, { id, payload }) => {
  const { claim, epoch } = session;
  const input = { peerId: claim.peerId, epoch, announced: payload };
  return stay(session, command({ name: "announce", input }, id));
};
