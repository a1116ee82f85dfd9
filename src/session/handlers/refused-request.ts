import type { GoP2pRequest } from "../../protocol/messages.ts";
import { errorReply } from "../messages.ts";
import { stay } from "../moves.ts";
import type { Handler } from "./handler.ts";

/** What go-p2p's controllers ask of workers; a mesh does none of it for a peer. Asking is no offence. */
export const refuseRequest: Handler<Exclude<GoP2pRequest, "get_stats">> = (
  session,
  { id, type },
  context,
) => {
  const fault = {
    code: "not_permitted",
    detail: `a mesh does not take ${type} from a peer`,
  } as const;
  return stay(session, errorReply(context, session, fault, id));
};
