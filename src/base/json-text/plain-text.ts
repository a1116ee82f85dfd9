import { BACKSLASH, QUOTE, SPACE } from "./characters.ts";

/** The first so many characters are looked at one by one: most strings are shorter, and a search costs more to begin. */
const LOOKED_AT = 32;
// oxlint-disable-next-line no-control-regex -- these are the characters that JSON forbids in a string
const NOT_PLAIN = /["\\\u0000-\u001f]/g;

/** Where the first character from `from` on is that does not stand for itself in a JSON string; the length of the text if none is. */
export function plainUntil(text: string, from: number): number {
  const end = Math.min(text.length, from + LOOKED_AT);
  for (let i = from; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE || code === BACKSLASH || code < SPACE) return i;
  }
  // Payloads have strings of megabytes, which a search reads three times as fast as a loop.
  NOT_PLAIN.lastIndex = end;
  return NOT_PLAIN.test(text) ? NOT_PLAIN.lastIndex - 1 : text.length;
}
