import type { Json } from "./json.ts";

/**
 * The one spelling of a JSON value: members in the order of their names' UTF-16 units, no spaces, numbers and strings
 * as ECMAScript writes them (RFC 8785). For what is signed or hashed.
 */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.keys(value)
    .toSorted()
    .map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name] as Json)}`);
  return `{${members.join(",")}}`;
}
