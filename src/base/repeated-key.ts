import { endOfString } from "./json.ts";

/** An object or an array that the scan is in. */
interface Open {
  /** The keys of an object so far; null for an array. */
  readonly keys: Set<string> | null;
  /** The last key, or the index of the present element. */
  at: string | number;
}

/**
 * The path of the first key that occurs twice in one object, as keys and indexes; null if there is none. The text must be valid JSON.
 * `JSON.parse` keeps only the last of such values (RFC 8259 section 4 leaves it open), so that two readers of one text can differ.
 */
export function repeatedKey(text: string): readonly (string | number)[] | null {
  const open: Open[] = [];
  let expectsKey = false;
  for (let i = 0; i < text.length; i++) {
    const inner = open.at(-1);
    const char = text[i];
    if (char === '"') {
      const end = endOfString(text, i);
      if (expectsKey && inner !== undefined && inner.keys !== null) {
        const key = keyOf(text.slice(i + 1, end));
        inner.at = key;
        if (inner.keys.has(key)) return open.map(({ at }) => at);
        inner.keys.add(key);
        expectsKey = false;
      }
      i = end;
    } else if (char === "{" || char === "[") {
      expectsKey = char === "{";
      open.push({ keys: expectsKey ? new Set() : null, at: expectsKey ? "" : 0 });
    } else if (char === "}" || char === "]") {
      open.pop();
      expectsKey = false;
    } else if (char === "," && inner !== undefined) {
      expectsKey = inner.keys !== null;
      if (typeof inner.at === "number") inner.at++;
    }
  }
  return null;
}

/** A key without its escapes: `\u0061` and `a` are one key. */
const keyOf = (raw: string): string =>
  raw.includes("\\") ? (JSON.parse(`"${raw}"`) as string) : raw;
