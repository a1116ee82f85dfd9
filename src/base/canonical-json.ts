import type { Json } from "./json.ts";

/**
 * The canonical form of a JSON value (RFC 8785): members sorted by the UTF-16 units of their names, no spaces, numbers
 * and strings as ECMAScript writes them. Used for everything that is signed or hashed.
 */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.keys(value)
    .toSorted()
    .map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name] as Json)}`);
  return `{${members.join(",")}}`;
}
