/**
 * The only module that writes to stdout and stderr. Whatever it writes is escaped: text of peers, tasks and meshes can move no
 * cursor, color nothing and begin no line. The lines and the colors of the CLI itself are not text but structure: a line is one
 * argument or one element of an array, a color is a `Styled`.
 */
import { fstatSync, writeSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { writeJson } from "../base/json-text/write-json.ts";
import { truncate } from "./display-width.ts";
import { escapeText } from "../base/escape-text.ts";
import { OutputFile } from "./output-file.ts";

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

/** Writes JSON on one line of stderr. */
export const noteJsonLine = (value: unknown): void => note(writeJson(value));

/** Writes a JSON text as it is. Only white space of JSON can hold a newline. */
export const printJsonText = (text: string): void => print(text.split("\n"));

function write(out: NodeJS.WriteStream, content: Line | readonly Line[]): void {
  if (out === process.stdout && outputEnd.aborted) return;
  const lines: readonly Line[] =
    typeof content === "string" || content instanceof Parts ? [content] : content;
  const text = lines.map((each) => `${rendered(each, out)}\n`).join("");
  if (out === process.stdout && logFile !== null) logFile.write(text);
  else out.write(text);
}

const STDOUT = 1;
let logFile: OutputFile | null = null;

/**
 * Stdout is the log of a service: if it is a file, what the disk does not take is lost, and the command goes on, which writes again once
 * there is room. The stream of Node ends with the first error. Returns what ends this.
 */
export function outputIsLog(): () => void {
  const about = fstatSync(STDOUT);
  if (!(about.isFIFO() || about.isSocket() || process.stdout.isTTY))
    logFile = new OutputFile((bytes, from) => writeSync(STDOUT, bytes, from));
  return () => (logFile = null);
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

const outputEnded = new AbortController();
/** Aborts with an `OutputEnded` when the reader of stdout has ended, as `head` does. */
export const outputEnd: AbortSignal = outputEnded.signal;

/** The reader of stdout has ended. That is no failure. */
export class OutputEnded extends Error {
  override readonly name = "OutputEnded";

  constructor() {
    super("the reader of stdout has ended");
  }
}

/** Stdout takes nothing more, for example because its disk is full. */
export class OutputFailed extends Error {
  override readonly name = "OutputFailed";
  readonly code = "output_failed";

  constructor(reason: string) {
    super(`cannot write to stdout (${reason}), so a part of the output is lost`);
  }
}

/**
 * What Node would write to stderr itself goes through this module, too, and so do errors of the streams. The end of stdout's reader
 * aborts `outputEnd`: a command that waits for more to print ends then, and another one with its own exit code. Any other error of
 * stdout is one of the command. What stderr does not take is lost.
 */
export function takeOverOutput(onFatal: (error: unknown) => void): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (READER_ENDED.has(error.code ?? "")) outputEnded.abort(new OutputEnded());
    else onFatal(new OutputFailed(error.code ?? error.message));
  });
  process.stderr.on("error", () => {});
  process.on("uncaughtException", onFatal);
  if (process.listenerCount("warning") === 0) return; // by --no-warnings
  process.removeAllListeners("warning");
  process.on("warning", ({ name, message }) => note(`${name}: ${message}`));
}

/** `EOF` is what Windows reports; after the first error the stream is destroyed. */
const READER_ENDED: ReadonlySet<string> = new Set(["EPIPE", "EOF", "ERR_STREAM_DESTROYED"]);

/** A number and its noun: `1 task`, `2 tasks`. */
export const counted = (count: number, noun: string, plural = `${noun}s`): string =>
  `${count} ${count === 1 ? noun : plural}`;
