export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** The deepest nesting that is parsed: far above any legitimate message, far below what overflows a recursive reader. */
export const JSON_DEPTH_MAX = 32;

/**
 * Parses JSON with at most `maxDepth` levels and at most `maxValues` values; undefined for invalid JSON or more of either.
 * Both are counted before parsing, so that deep nesting never reaches the parser, nor do a million empty objects, each
 * of which uses ten times the memory of its text.
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

/** Counts opening brackets and commas, because each value except the first follows one of them. */
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

/** The index of the closing quote of the string that starts at `start`. `indexOf` makes long strings (files) fast. */
export function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let first = end;
    while (text.charCodeAt(first - 1) === BACKSLASH) first--;
    if ((end - first) % 2 === 0) return end; // an even number of backslashes escape each other, not the quote
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

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);
