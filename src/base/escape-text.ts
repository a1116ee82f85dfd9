/**
 * What a terminal acts on or does not show: control characters (C0, DEL, C1), line and paragraph separators, directional and other
 * format characters, ignorable ones such as tags, and lone surrogates.
 */
const ESCAPED = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * Those of them that readable text needs: the two joiners, variation selectors (both change the look of one character only), and
 * the format characters of Arabic, Syriac and Kaithi that are seen.
 */
const SHOWN =
  /[\u200c-\u200d]|\p{Variation_Selector}|[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2]|[\u{110bd}\u{110cd}]/u;

/** The escapes that JSON has a letter for. */
const LETTERS: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * The text as one line that a terminal only shows. Characters that it would act on become `\n` or `\u001b`, as in JSON: such
 * characters occur in JSON only inside strings, so escaped JSON is JSON of the same value.
 */
export const escapeText = (text: string): string =>
  text.replace(ESCAPED, (found) => (SHOWN.test(found) ? found : escaped(found)));

const escaped = (found: string): string => LETTERS[found] ?? unitsOf(found);

/** JSON has no escape for a character beyond U+FFFF, only for its two UTF-16 code units. */
const unitsOf = (found: string): string =>
  Array.from({ length: found.length }, (_, at) => hexOf(found.charCodeAt(at))).join("");

const hexOf = (unit: number): string => `\\u${unit.toString(16).padStart(4, "0")}`;
