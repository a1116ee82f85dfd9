export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** Deepest nesting that is read; far above any honest message, far below what overflows a recursive reader. */
export const JSON_DEPTH_MAX = 32;

/**
 * Parses JSON no deeper than `maxDepth`; undefined when it is not JSON or nests deeper.
 * The depth is counted before parsing, so hostile nesting never reaches the parser.
 */
export function parseJson(text: string, maxDepth = JSON_DEPTH_MAX): Json | undefined {
  if (deeperThan(text, maxDepth)) return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined; // not JSON
  }
}

function deeperThan(text: string, maxDepth: number): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (inString) {
      if (char === BACKSLASH) i++;
      else if (char === QUOTE) inString = false;
    } else if (char === QUOTE) inString = true;
    else if (char === OPEN_BRACE || char === OPEN_BRACKET) {
      if (++depth > maxDepth) return true;
    } else if (char === CLOSE_BRACE || char === CLOSE_BRACKET) depth--;
  }
  return false;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

export const isJsonObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);
