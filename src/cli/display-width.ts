import { escapeText } from "../base/escape-text.ts";

/** Marks that a terminal draws over the character before them, and joiners. */
const ZERO_WIDTH = /^[\p{Mn}\p{Me}\u200c\u200d]+$/u;

/** Characters that fill two columns: emoji, and those that Unicode's East Asian Width property calls wide or fullwidth. */
const WIDE =
  /[\p{Emoji_Presentation}\ufe0f\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6b\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18cff}\u{1aff0}-\u{1b2ff}\u{1f200}-\u{1f265}\u{20000}-\u{3fffd}]/u;

const SEGMENTER = new Intl.Segmenter("en", { granularity: "grapheme" });
const ASCII = /^[\u0020-\u007e]*$/;

/** The columns that escaped text fills on a terminal. */
export function displayWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const { segment } of SEGMENTER.segment(text)) width += graphemeWidth(segment);
  return width;
}

/** The text, escaped and cut to `max` columns; an ellipsis marks the cut. */
export function truncate(unescaped: string, max: number): string {
  const text = escapeText(unescaped);
  if (displayWidth(text) <= max) return text;
  let kept = "";
  let width = 1; // the ellipsis
  for (const { segment } of SEGMENTER.segment(text)) {
    width += graphemeWidth(segment);
    if (width > max) break;
    kept += segment;
  }
  return `${kept}…`;
}

export const padStart = (text: string, width: number): string =>
  " ".repeat(Math.max(0, width - displayWidth(text))) + text;

export const padEnd = (text: string, width: number): string =>
  text + " ".repeat(Math.max(0, width - displayWidth(text)));

function graphemeWidth(grapheme: string): number {
  if (WIDE.test(grapheme)) return 2;
  return ZERO_WIDTH.test(grapheme) ? 0 : 1;
}
