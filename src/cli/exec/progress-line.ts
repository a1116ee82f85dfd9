/** A line of stderr that begins with this word reports progress. */
const PROGRESS_WORD = "MUSTER_PROGRESS";
/** The form of such a line, for people. */
export const PROGRESS_FORM = `${PROGRESS_WORD} FRACTION [MESSAGE]`;
/** What FRACTION may be. */
export const PROGRESS_FRACTIONS = "a number from 0 to 1, a percentage, or - for none";

const WORD_BYTES = Buffer.from(PROGRESS_WORD);

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

/** Whether a line is for Muster: its first word is the whole of `MUSTER_PROGRESS`. */
export const isProgressLine = (line: Buffer): boolean =>
  startsWithWord(line) && (line.length === WORD_BYTES.length || isSpace(line[WORD_BYTES.length]));

/** Whether the beginning of a line may become a line for Muster when the rest of it has come. */
export const mayBecomeProgressLine = (begin: Buffer): boolean =>
  begin.length < WORD_BYTES.length
    ? WORD_BYTES.subarray(0, begin.length).equals(begin)
    : isProgressLine(begin);

const startsWithWord = (line: Buffer): boolean =>
  line.length >= WORD_BYTES.length && line.subarray(0, WORD_BYTES.length).equals(WORD_BYTES);

/** Space, tab, or the carriage return of a line that ends as on Windows. */
const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x09 || byte === 0x0d;
