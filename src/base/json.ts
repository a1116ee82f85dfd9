export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** Deepest nesting that is read; far above any honest message, far below what overflows a recursive reader. */
export const JSON_DEPTH_MAX = 32;

/**
 * Parses JSON that nests no deeper than `maxDepth` and has no more values than `maxValues`; undefined when it is not JSON
 * or exceeds either. Both are counted before parsing: hostile nesting never reaches the parser, nor do a million empty
 * objects, each of which takes ten times its text in memory.
 */
export function parseJson(
  text: string,
  maxDepth = JSON_DEPTH_MAX,
  maxValues = Number.POSITIVE_INFINITY,
): Json | undefined {
  if (exceeds(text, maxDepth, maxValues)) return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined; // not JSON
  }
}

/** Every value but the first follows an opening bracket or a comma, so these are counted. */
function exceeds(text: string, maxDepth: number, maxValues: number): boolean {
  let depth = 0;
  let values = 1;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char === QUOTE) i = endOfString(text, i);
    else if (char === OPEN_BRACE || char === OPEN_BRACKET) {
      if (++depth > maxDepth || ++values > maxValues) return true;
    } else if (char === COMMA) {
      if (++values > maxValues) return true;
    } else if (char === CLOSE_BRACE || char === CLOSE_BRACKET) depth--;
  }
  return false;
}

/** Where the string that opens at `start` closes. The engine's own search makes long ones (files) cheap. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let first = end;
    while (text.charCodeAt(first - 1) === BACKSLASH) first--;
    if ((end - first) % 2 === 0) return end; // an even number of backslashes escape one another, not the quote
  }
  return text.length;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

export const isJsonObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);
