import { SECOND } from "../../base/clock.ts";
import { message } from "../messages.ts";
import { stay } from "../moves.ts";
import type { Handler } from "./handler.ts";

/** A mesh runs no miners. Its uptime is that of the session: one object knows no other. */
export const handleGetStats: Handler<"get_stats"> = (session, { id }, context) => {
  const { keys, name } = context.mesh;
  const uptime = Math.floor((context.now - session.since) / SECOND);
  return stay(
    session,
    message(context, session, "stats", { nodeId: keys.id, nodeName: name, miners: [], uptime }, id),
  );
};
