/**
 * The only module that writes to stdout and stderr. Whatever it writes is escaped: text of peers, tasks and meshes can move no
 * cursor, color nothing and begin no line. The lines and the colors of the CLI itself are not text but structure: a line is one
 * argument or one element of an array, a color is a `Styled`.
 */
import { createInterface } from "node:readline/promises";
import { writeJson } from "../base/json-text/write-json.ts";
import { truncate } from "./display-width.ts";
import { escapeText } from "../base/escape-text.ts";

const CODES = { red: 31, green: 32 } as const;

/** Text that is colored where the output is a terminal, unless `NO_COLOR` is set. */
class Styled {
  readonly style: keyof typeof CODES;
  readonly text: string;

  constructor(style: keyof typeof CODES, text: string) {
    this.style = style;
    this.text = text;
  }
}
export const styled = (style: keyof typeof CODES, text: string): Styled => new Styled(style, text);

/** A line of several parts. */
class Parts {
  readonly parts: readonly (string | Styled)[];

  constructor(parts: readonly (string | Styled)[]) {
    this.parts = parts;
  }
}
export const line = (...parts: readonly (string | Styled)[]): Parts => new Parts(parts);

/** One line of output. A newline in its text is shown escaped. */
export type Line = string | Parts;

/** Writes one line, or several, to stdout. */
export const print = (content: Line | readonly Line[] = ""): void => write(process.stdout, content);

/** Writes to stderr: for text that is not the output of the command. */
export const note = (content: Line | readonly Line[]): void => write(process.stderr, content);

/** Writes JSON on several lines. */
export const printJson = (value: unknown): void => printJsonText(writeJson(value, 2));

/** Writes JSON on one line. */
export const printJsonLine = (value: unknown): void => print(writeJson(value));

/** Writes a JSON text as it is. Only white space of JSON can hold a newline. */
export const printJsonText = (text: string): void => print(text.split("\n"));

function write(out: NodeJS.WriteStream, content: Line | readonly Line[]): void {
  const lines: readonly Line[] =
    typeof content === "string" || content instanceof Parts ? [content] : content;
  out.write(lines.map((each) => `${rendered(each, out)}\n`).join(""));
}

const rendered = (content: Line, out: NodeJS.WriteStream): string =>
  typeof content === "string"
    ? escapeText(content)
    : content.parts.map((part) => renderedPart(part, out)).join("");

function renderedPart(part: string | Styled, out: NodeJS.WriteStream): string {
  if (typeof part === "string") return escapeText(part);
  const text = escapeText(part.text);
  const isColored = out.isTTY && (process.env["NO_COLOR"] ?? "") === "";
  return isColored ? `\u001b[${CODES[part.style]}m${text}\u001b[0m` : text;
}

/** Whether stderr is a terminal, on which a line can be rewritten. */
export const canRewrite = (): boolean => process.stderr.isTTY;

/** Replaces the last line of the terminal by this text, which `clearRewritten` removes. */
export function rewrite(text: string): void {
  // A terminal that does not know its width reports 0.
  const width = (process.stderr.columns || 80) - 1;
  process.stderr.write(`\r\u001b[K${truncate(text, width)}`);
}

export const clearRewritten = (): void => void process.stderr.write("\r\u001b[K");

/** Asks on the terminal; returns the answer. Rejects with an `AbortError` at Ctrl-C, which is a key while the terminal asks. */
export async function ask(question: string, signal: AbortSignal): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(`${escapeText(question)} `, { signal });
  } finally {
    terminal.close();
  }
}

/** What Node would write to stderr itself goes through this module, too. A closed stdout, as by `head`, is not an error. */
export function takeOverOutput(onUncaught: (error: unknown) => void): void {
  process.stdout.on("error", () => process.exit(0));
  process.on("uncaughtException", onUncaught);
  if (process.listenerCount("warning") === 0) return; // by --no-warnings
  process.removeAllListeners("warning");
  process.on("warning", ({ name, message }) => note(`${name}: ${message}`));
}

/** A number and its noun: `1 task`, `2 tasks`. */
export const counted = (count: number, noun: string): string =>
  `${count} ${noun}${count === 1 ? "" : "s"}`;
