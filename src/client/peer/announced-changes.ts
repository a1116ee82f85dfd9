import { handlesKind } from "../../protocol/handled-kinds.ts";
import { OptionsError } from "../errors.ts";
import { refuseUnknownOptions } from "../known-options.ts";
import type { Handlers } from "../work/handler.ts";
import { ANNOUNCEMENT, type Announcement } from "./peer-options.ts";

/** What an announcement changes. Throws an `OptionsError` if it has an option that does not exist, or names a kind without a handler. */
export function announcedChanges(announcement: Announcement, handlers: Handlers) {
  refuseUnknownOptions("peer.announce", announcement, ANNOUNCEMENT);
  const { capabilities, kinds, slots, prefetch } = announcement;
  const unhandled = kinds?.find((kind) => !handlesKind(Object.keys(handlers), kind));
  if (unhandled !== undefined)
    throw new OptionsError(`kinds: this peer has no handler for ${unhandled}`);
  return {
    ...(capabilities !== undefined && { capabilities: [...capabilities] }),
    ...(kinds !== undefined && { kinds: [...kinds] }),
    ...(slots !== undefined && { slots }),
    ...(prefetch !== undefined && { prefetch }),
  };
}
