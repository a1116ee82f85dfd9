import type { LogLine } from "../src/cli/server-module.ts";

/** A crash follows its report at once. */
const HOLD_MS = 1_000;
/** A report has few lines; more than these are something else. */
const HELD_LINES_MAX = 100;

/**
 * Holds back the lines that workerd writes besides its log: before it crashes these are a report with the addresses of a stack. Of a crash one line
 * says what happened, and the report follows it.
 */
export class CrashReport {
  readonly #onLog: (line: LogLine) => void;
  #held: string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(onLog: (line: LogLine) => void) {
    this.#onLog = onLog;
  }

  add(text: string): void {
    this.#held.push(text);
    this.#timer ??= setTimeout(() => this.flush("error"), HOLD_MS).unref();
    if (this.#held.length >= HELD_LINES_MAX) this.flush("error");
  }

  /** workerd has ended by itself: `how` is its exit code or the signal that ended it. */
  crashed(how: string): void {
    this.#onLog({ level: "error", message: `workerd ended unexpectedly (${how})` });
    this.flush("debug");
  }

  /** Logs what is held. */
  flush(level: LogLine["level"]): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const message of this.#held.splice(0)) this.#onLog({ level, message });
  }
}
