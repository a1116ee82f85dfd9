import { handlesKind } from "../../protocol/messages.ts";
import { OptionsError } from "../errors.ts";
import type { Handlers } from "../work/handler.ts";
import type { Announcement } from "./peer-options.ts";

/** What an announcement changes. Throws an `OptionsError` if it names a kind without a handler. */
export function announcedChanges(
  { capabilities, kinds, slots, prefetch }: Announcement,
  handlers: Handlers,
) {
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
