/**
 * JSONPath (RFC 9535), singular queries only (§2.3.5.1): `$`, `.name`, `['name']`, `["name"]`, `[0]`, `[-1]`. Such a
 * query selects at most one value, so a mapping can use it in place of a value.
 */
import { err, ok, type Result } from "../base/result.ts";

/** Member names and array indices (negative from the end), from the root down. */
export interface JsonPath {
  readonly text: string;
  readonly segments: readonly (string | number)[];
}

/** Far longer than a useful path; limits the parser's work and the length of error texts. */
export const PATH_CHARS_MAX = 500;

/** Blank space is allowed between segments and inside brackets (§2.1.1, §2.5.1.1: `S`). */
const S = String.raw`[ \t\n\r]*`;

/** `member-name-shorthand` (§2.5.1.1). Lone surrogates are not allowed. */
const NAME_FIRST = String.raw`A-Za-z_\u0080-\ud7ff\ue000-\u{10ffff}`;
const SHORTHAND = new RegExp(String.raw`^${S}\.([${NAME_FIRST}][${NAME_FIRST}0-9]*)`, "u");

/** `index-selector` (§2.3.3.1): no leading zero, no -0. */
const INDEX = new RegExp(String.raw`^${S}\[${S}(0|-?[1-9][0-9]*)${S}\]`, "u");

/** `string-literal` (§2.3.1.1). An escaped surrogate needs its other half (`hexchar`). */
const HEX = "[0-9A-Fa-f]";
const HEXCHAR = String.raw`(?:[0-9A-CEFa-cef]${HEX}{3}|[Dd][0-7]${HEX}{2}|[Dd][89ABab]${HEX}{2}\\u[Dd][C-Fc-f]${HEX}{2})`;
const REST = String.raw`\x5d-\ud7ff\ue000-\u{10ffff}`;
const DOUBLE_QUOTED = String.raw`"((?:[\x20\x21\x23-\x5b${REST}]|\\(?:[bfnrt/\\"]|u${HEXCHAR}))*)"`;
const SINGLE_QUOTED = String.raw`'((?:[\x20-\x26\x28-\x5b${REST}]|\\(?:[bfnrt/\\']|u${HEXCHAR}))*)'`;
const QUOTED = new RegExp(String.raw`^${S}\[${S}(?:${DOUBLE_QUOTED}|${SINGLE_QUOTED})${S}\]`, "u");

/** Parses a path; the error is one line of text. */
export function parsePath(text: string): Result<JsonPath, string> {
  if (text.length > PATH_CHARS_MAX)
    return err(`the path is longer than ${PATH_CHARS_MAX} characters, the limit`);
  if (!text.startsWith("$")) return err("a path must begin with $");
  const segments: (string | number)[] = [];
  let rest = text.slice(1);
  while (rest !== "") {
    const next = firstSegment(rest);
    if (next === null) {
      const at = text.length - rest.length + 1;
      return err(`syntax error at character ${at}: use only .name, ['name'] and [0] after $`);
    }
    if (typeof next.segment === "number" && !Number.isSafeInteger(next.segment)) {
      return err("an index must be between -(2^53 - 1) and 2^53 - 1"); // §2.1
    }
    segments.push(next.segment);
    rest = rest.slice(next.length);
  }
  return ok({ text, segments });
}

/** The first segment of the text, and its length in characters. */
function firstSegment(
  text: string,
): { readonly segment: string | number; readonly length: number } | null {
  const shorthand = SHORTHAND.exec(text);
  if (shorthand?.[1] !== undefined) return { segment: shorthand[1], length: shorthand[0].length };
  const index = INDEX.exec(text);
  if (index !== null) return { segment: Number(index[1]), length: index[0].length };
  const quoted = QUOTED.exec(text);
  if (quoted === null) return null;
  return { segment: unescaped(quoted[1] ?? quoted[2] ?? ""), length: quoted[0].length };
}

const ESCAPES: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/** The value of a string literal (§2.3.1.2). Two adjacent escaped surrogates form one character. */
const unescaped = (literal: string): string =>
  literal.replace(/\\(?:u([0-9A-Fa-f]{4})|(.))/gu, (_, hex: string | undefined, char: string) =>
    hex === undefined ? (ESCAPES[char] ?? char) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
