/** The lines of a program's stderr that are for Muster: each begins with one of these words. */
export const PROGRESS_WORD = "MUSTER_PROGRESS";
export const NO_RETRY_WORD = "MUSTER_NO_RETRY";
/** The form of the line by which a program says that another attempt would fail, too; for people. */
export const NO_RETRY_FORM = `${NO_RETRY_WORD} [MESSAGE]`;

type Word = typeof PROGRESS_WORD | typeof NO_RETRY_WORD;
const WORDS: readonly (readonly [Word, Buffer])[] = [
  [PROGRESS_WORD, Buffer.from(PROGRESS_WORD)],
  [NO_RETRY_WORD, Buffer.from(NO_RETRY_WORD)],
];

/** Which of the words is the whole first word of a line; null if the line is not for Muster. */
export function wordOf(line: Buffer): Word | null {
  for (const [word, bytes] of WORDS)
    if (
      line.subarray(0, bytes.length).equals(bytes) &&
      (line.length === bytes.length || isSpace(line[bytes.length]))
    )
      return word;
  return null;
}

/** Whether the beginning of a line may become a line for Muster when the rest of it has come. */
export const mayBecomeMusterLine = (begin: Buffer): boolean =>
  WORDS.some(
    ([, bytes]) => begin.length < bytes.length && bytes.subarray(0, begin.length).equals(begin),
  ) || wordOf(begin) !== null;

/** The text after the first word; undefined if there is none. */
export function messageOf(line: string): string | undefined {
  const [, message = ""] = /^\S+\s+(.*?)\s*$/s.exec(line) ?? [];
  return message === "" ? undefined : message;
}

/** Space, tab, or the carriage return of a line that ends as on Windows. */
const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x09 || byte === 0x0d;
