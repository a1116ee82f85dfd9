import type { GoP2pRequest } from "../../protocol/messages.ts";
import { errorReply } from "../messages.ts";
import { stay } from "../moves.ts";
import type { Handler } from "./handler.ts";

/** go-p2p requests of a controller to a worker, which a mesh refuses. The request is legitimate, so it is no strike. */
export const refuseRequest: Handler<Exclude<GoP2pRequest, "get_stats">> = (
  session,
  { id, type },
  context,
) => {
  const fault = {
    code: "not_permitted",
    detail: `a mesh does not perform ${type} for a peer`,
  } as const;
  return stay(session, errorReply(context, session, fault, id));
};
