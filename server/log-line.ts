import { z } from "zod";
import type { LogLevel } from "../src/base/log/log-fields.ts";
import { readLogLine, type LogLine } from "../src/base/log/log-line.ts";
import { parseJson } from "../src/base/json.ts";

/** A line of workerd's structured log. */
const Structured = z.object({ level: z.string(), message: z.string() });

/** The levels of `console` and of workerd itself. */
const LEVELS: Readonly<Record<string, LogLevel>> = {
  debug: "debug",
  log: "info",
  info: "info",
  warn: "warn",
  warning: "warn",
};

/** What a line of workerd's log contains. */
export interface WorkerdLine {
  readonly level: LogLevel;
  readonly message: string;
  /** The line of the Worker's log; null if workerd itself has something to say. */
  readonly line: LogLine | null;
}

/** A line of workerd's log; null for what workerd writes besides it, such as the report of a crash. */
export function readWorkerdLine(text: string): WorkerdLine | null {
  const structured = Structured.safeParse(parseJson(text));
  if (!structured.success) return null;
  const { level, message } = structured.data;
  return { level: LEVELS[level] ?? "error", message, line: readLogLine(message) };
}
