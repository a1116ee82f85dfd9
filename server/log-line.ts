import { z } from "zod";
import type { LogLevel, LogLine } from "../src/cli/server-module.ts";
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

/** A line of workerd's log; null for what workerd writes besides it, such as the report of a crash. */
export function readLogLine(text: string): LogLine | null {
  const line = Structured.safeParse(parseJson(text));
  if (!line.success) return null;
  const { level, message } = line.data;
  return { level: LEVELS[level] ?? "error", message };
}
