import { JsonText } from "./json-text.ts";

/** What `JSON.stringify(value, null, indent)` writes, with each `JsonText` as the text that it holds. */
export function writeJson(value: unknown, indent = 0): string {
  return written(value, " ".repeat(indent), "");
}

/** `margin`: the white space before a line of the object that contains the value. */
function written(value: unknown, indent: string, margin: string): string {
  if (value instanceof JsonText) return value.text;
  if (!holdsJsonText(value)) {
    const text = JSON.stringify(value, null, indent);
    return margin === "" ? text : text.replaceAll("\n", `\n${margin}`);
  }
  const inner = margin + indent;
  if (Array.isArray(value)) {
    const items = value.map((item) => written(item ?? null, indent, inner));
    return `[${joined(items, indent, margin)}]`;
  }
  const colon = indent === "" ? ":" : ": ";
  const members = Object.entries(value as object)
    .filter(([, member]) => member !== undefined)
    .map(([name, member]) => JSON.stringify(name) + colon + written(member, indent, inner));
  return `{${joined(members, indent, margin)}}`;
}

const joined = (parts: readonly string[], indent: string, margin: string): string =>
  indent === ""
    ? parts.join(",")
    : `\n${margin}${indent}${parts.join(`,\n${margin}${indent}`)}\n${margin}`;

function holdsJsonText(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (value instanceof JsonText) return true;
  return Object.values(value).some(holdsJsonText);
}
