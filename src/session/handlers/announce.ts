import { command, stay } from "../moves.ts";
import type { Handler } from "./handler.ts";

/** What the peer can do has changed; which tasks that lets it have is the coordinator's to say. */
export const handleAnnounce: Handler<"announce"> = (session, { id, payload }) => {
  const { claim, epoch } = session;
  const input = { peerId: claim.peerId, epoch, announced: payload };
  return stay(session, command({ name: "announce", input }, id));
};
