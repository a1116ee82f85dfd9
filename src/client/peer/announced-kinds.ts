import { KINDS_PER_PEER_MAX } from "../../protocol/constants.ts";
import { EVERY_KIND } from "../../protocol/messages.ts";
import type { Handlers } from "../work/handler.ts";

/** The kinds that a peer with these handlers announces. More than the mesh takes are announced as every kind. */
export function kindsOf(handlers: Handlers): readonly string[] {
  const kinds = Object.keys(handlers);
  return kinds.length > KINDS_PER_PEER_MAX ? [EVERY_KIND] : kinds;
}
