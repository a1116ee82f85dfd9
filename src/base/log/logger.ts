import type { Millis } from "../clock.ts";
import { LineLimit, type LeftOut } from "./line-limit.ts";
import { LOG_EVENTS, type LogEntry, type LogEvent, type LogValuesOf } from "./log-events.ts";
import { LOG_LEVELS, type LogLevel } from "./log-fields.ts";
import { logLine, type LogLine } from "./log-line.ts";

export interface LogPorts {
  readonly write: (line: LogLine) => void;
  readonly now: () => Millis;
}

export const LOG_LEVEL_DEFAULT: LogLevel = "info";

/** The only way to a log: what it writes has an event of the table, its fields, a level that is wanted, and a limited rate. */
export class Logger {
  /** Lines of lower levels are not written. */
  level: LogLevel = LOG_LEVEL_DEFAULT;
  readonly #ports: LogPorts;
  readonly #limit = new LineLimit();

  constructor(ports: LogPorts) {
    this.#ports = ports;
  }

  /** Whether lines of this level are written: for what would cost something to find out. */
  isOn(level: LogLevel): boolean {
    return LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(this.level);
  }

  /** @param level if not that of the event */
  write<E extends LogEvent>(
    event: E,
    values: LogValuesOf<E>,
    level: LogLevel = LOG_EVENTS[event].level,
  ): void {
    if (!this.isOn(level)) return;
    const now = this.#ports.now();
    // Before the line is made: a flood must cost no more than counting.
    const isAdmitted = this.#limit.admits(event, now);
    this.#tell(this.#limit.takeLeftOut(isAdmitted ? event : null, now));
    if (isAdmitted) this.#ports.write(logLine(event, values, now, level));
  }

  writeEntry({ event, values }: LogEntry): void {
    // The type can't say that the values are those of the event.
    this.write(event, values as LogValuesOf<typeof event>);
  }

  /** A line that another logger has made and limited. */
  pass(line: LogLine): void {
    if (this.isOn(line.level)) this.#ports.write(line);
  }

  /** Tells what was left out and not told yet. Call it now and then, and at the end. */
  flush(isEnd = false): void {
    const now = isEnd ? Infinity : this.#ports.now();
    this.#tell(this.#limit.takeLeftOut(null, now));
  }

  #tell(leftOut: readonly LeftOut[]): void {
    const now = this.#ports.now();
    for (const each of leftOut) this.#ports.write(logLine("log.left_out", { ...each }, now));
  }
}
