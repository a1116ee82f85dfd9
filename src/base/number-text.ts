/**
 * Numbers as people write them into settings. `Number` also takes `1e1`, `0x4`, ` 4`, `+4`, `4.0` and the empty text: what is taken for a number that nobody
 * has written is found late.
 */

/** Reads a whole number: decimal digits, without a leading zero. Null for any other text, and for a number that a double does not represent. */
export function readWholeNumber(text: string): number | null {
  if (!/^(?:0|[1-9]\d*)$/.test(text)) return null;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : null;
}

/** Reads a number of at least 0, which may have decimals: `4`, `0.25`, `.25`. Null for any other text. */
export function readDecimal(text: string): number | null {
  if (!/^(?:(?:0|[1-9]\d*)(?:\.\d+)?|\.\d+)$/.test(text)) return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

/** The same with an optional minus sign, except for `-0`. */
export function readSignedDecimal(text: string): number | null {
  if (!text.startsWith("-")) return readDecimal(text);
  const value = readDecimal(text.slice(1));
  return value === null || value === 0 ? null : -value;
}
