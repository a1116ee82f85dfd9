import { PROGRESS_WORD } from "./muster-line.ts";

/** The form of a line that reports progress, for people. */
export const PROGRESS_FORM = `${PROGRESS_WORD} FRACTION [MESSAGE]`;
/** What FRACTION may be. */
export const PROGRESS_FRACTIONS = "a number from 0 to 1, a percentage, or - for none";

/** What a program reports: a part of its work, a text, or both. */
export interface ReportedProgress {
  /** 0 to 1. */
  readonly fraction: number | undefined;
  readonly message: string | undefined;
}

/** The progress that a line reports; null if the line is malformed. */
export function readProgressLine(line: string): ReportedProgress | null {
  const [, word = "", message = ""] = /^\S+\s+(\S+)\s*(.*?)\s*$/s.exec(line) ?? [];
  const text = message === "" ? undefined : message;
  if (word === "-") return text === undefined ? null : { fraction: undefined, message: text };
  const fraction = fractionOf(word);
  return fraction === null ? null : { fraction, message: text };
}

/** `0.25`, `2.5e-1`, `25%`. */
function fractionOf(word: string): number | null {
  const [, digits, percent] = /^\+?(\d+\.?\d*(?:e[+-]?\d+)?|\.\d+)(%?)$/i.exec(word) ?? [];
  const fraction = Number(digits) / (percent === "%" ? 100 : 1);
  return fraction >= 0 && fraction <= 1 ? fraction : null;
}
