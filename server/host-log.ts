import { LOG_LEVELS } from "../src/base/log/log-fields.ts";
import type { LogLine } from "../src/base/log/log-line.ts";
import { Logger, LOG_LEVEL_DEFAULT } from "../src/base/log/logger.ts";

/** How often lines that were left out are told, if no line of another event does so. */
const TELL_INTERVAL_MS = 60_000;

/** The log of a mesh's host. Lines of the Worker pass through it: their limits are those of the Worker's own log. */
export class HostLog extends Logger {
  readonly #timer = setInterval(() => this.flush(), TELL_INTERVAL_MS).unref();

  /** Tells what was left out, too. */
  stop(): void {
    clearInterval(this.#timer);
    this.flush(true);
  }
}

/** A log of the level that the Worker has. A level that does not exist is an error of the Worker's configuration. */
export function hostLog(
  write: (line: LogLine) => void,
  { LOG_LEVEL: wanted }: Readonly<Record<string, string>>,
): HostLog {
  const log = new HostLog({ write, now: Date.now });
  log.level = LOG_LEVELS.find((level) => level === wanted) ?? LOG_LEVEL_DEFAULT;
  return log;
}
