import { endByPeer } from "../end.ts";
import type { Handler } from "./handler.ts";

/** The peer ends its session. */
export const handleDisconnect: Handler<"disconnect"> = (session, { payload: { reason } }) =>
  endByPeer(session, reason === "" ? "the peer disconnected" : `the peer disconnected: ${reason}`);
