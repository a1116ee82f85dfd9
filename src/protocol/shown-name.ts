import { z } from "zod";
import { escapeText } from "../base/escape-text.ts";

/** A longer name is shortened: no list of peers has room for more, and every peer's name is stored. */
const SHOWN_NAME_CHARS_MAX = 64;

/** A peer's name as it is stored and shown. Peers of muster.2 have a `Name`; a go-p2p node may call itself anything. */
export const ShownName = z.string().max(SHOWN_NAME_CHARS_MAX);

/**
 * The name of a go-p2p node as it is shown: a usable name stays as it is, also one with dots or other scripts. Control characters and
 * others that are not seen become escapes as in JSON (`\u001b`), and a long name ends in `…`.
 */
export function shownName(name: string): string {
  let shown = "";
  let whole = "";
  for (const char of name) {
    whole += escapeText(char);
    if (whole.length > SHOWN_NAME_CHARS_MAX) return `${shown}…`;
    if (whole.length < SHOWN_NAME_CHARS_MAX) shown = whole;
  }
  return whole;
}
