import type { LogLevel } from "../src/base/log/log-fields.ts";
import type { Logger } from "../src/base/log/logger.ts";

/** A crash follows its report at once. */
const HOLD_MS = 1_000;
/** A report has few lines; more than these are something else. */
const HELD_LINES_MAX = 100;

/**
 * Holds back the lines that workerd writes besides its log: before it crashes these are a report with the addresses of a stack. Of a crash one line
 * says what happened, and the report follows it.
 */
export class CrashReport {
  readonly #log: Pick<Logger, "write">;
  #held: string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(log: Pick<Logger, "write">) {
    this.#log = log;
  }

  add(text: string): void {
    this.#held.push(text);
    this.#timer ??= setTimeout(() => this.flush("error"), HOLD_MS).unref();
    if (this.#held.length >= HELD_LINES_MAX) this.flush("error");
  }

  /** workerd has ended by itself: `how` is its exit code or the signal that ended it. */
  crashed(how: string): void {
    this.#log.write("workerd.crashed", { reason: how });
    this.flush("warn");
  }

  /** Logs what is held. */
  flush(level: LogLevel): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const detail of this.#held.splice(0)) this.#log.write("workerd.output", { detail }, level);
  }
}
