/** JSON from elsewhere as text to read: no number loses a digit, and no character acts on the page or hides. */
import { escapeText } from "../../../src/base/escape-text.ts";
import { textOfJson } from "../../../src/base/json-text/json-text.ts";
import { readMember } from "../../../src/base/json-text/read-json.ts";

/** What is shown of a value at most; the rest can be downloaded. */
export const SHOWN_CHARS_MAX = 200_000;

const LIMITS = { maxDepth: 128 };

/** The text of one member of an answer, as it came. */
export function memberText(answer: string, member: string): string | null {
  const found = readMember(answer, [member], LIMITS);
  return found === null ? null : textOfJson(found);
}

/** A JSON text with a line for each member and element. Strings and numbers keep their characters. */
export function indented(json: string): string {
  let text = "";
  let depth = 0;
  for (const token of json.match(TOKEN) ?? []) {
    if (token === "{" || token === "[") text += token + newLine(++depth);
    else if (token === "}" || token === "]") text = closed(text, token, --depth);
    else if (token === ",") text += `,${newLine(depth)}`;
    else text += token === ":" ? ": " : escapeText(token);
  }
  return text;
}

/** A string, a number or a word, or one character of punctuation. White space between them is left out. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gs;

const newLine = (depth: number): string => `\n${"  ".repeat(depth)}`;

/** An empty object or array stays on its line. */
function closed(text: string, bracket: string, depth: number): string {
  const before = text.trimEnd();
  const isEmpty = before.endsWith("{") || before.endsWith("[");
  return isEmpty ? before + bracket : text + newLine(depth) + bracket;
}

/** Where a text is not JSON, in words; null if it is. */
export function faultOf(text: string): string | null {
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}
