import type { LogLine } from "../src/base/log/log-line.ts";
import { Logger } from "../src/base/log/logger.ts";

/** A log of all levels, and the lines that were written to it. */
export function collectedLog(now: () => number = () => 0) {
  const lines: LogLine[] = [];
  const log = new Logger({ write: (line) => void lines.push(line), now });
  log.level = "debug";
  return { log, lines };
}
