import { KINDS_PER_PEER_MAX } from "../../protocol/constants.ts";
import { EVERY_KIND } from "../../protocol/handled-kinds.ts";
import { OptionsError } from "../errors.ts";
import type { Handler, Handlers } from "../work/handler.ts";

/**
 * The handlers of a peer that takes only these kinds; null takes every kind that has a handler. Throws an `OptionsError` if a kind
 * has none.
 */
export function selectedHandlers(handlers: Handlers, kinds: readonly string[] | null): Handlers {
  if (kinds === null) return handlers;
  return Object.fromEntries(kinds.map((kind) => [kind, handlerOf(handlers, kind)]));
}

function handlerOf(handlers: Handlers, kind: string): Handler {
  const handler = Object.hasOwn(handlers, kind) ? handlers[kind] : handlers[EVERY_KIND];
  if (handler !== undefined) return handler;
  const known = Object.keys(handlers).join(", ") || "no kind";
  throw new OptionsError(`kinds: there is no handler for ${kind}, only for ${known}`);
}

/** The kinds that a peer with these handlers announces. More than the mesh takes are announced as every kind. */
export function kindsOf(handlers: Handlers): readonly string[] {
  const kinds = Object.keys(handlers);
  return kinds.length > KINDS_PER_PEER_MAX ? [EVERY_KIND] : kinds;
}
