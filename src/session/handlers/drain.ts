import { command, stay } from "../moves.ts";
import type { Handler } from "./handler.ts";

/** The peer drains: it gets no new tasks in this session, and disconnects by itself when it has finished. */
export const handleDrain: Handler<"drain"> = (session, { id }) => {
  const input = { peerId: session.claim.peerId, epoch: session.epoch };
  return stay(session, command({ name: "peer_drains", input }, id));
};
