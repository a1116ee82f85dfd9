import { hasEnded, type Task } from "../../client/index.ts";
import { canRewrite, clearRewritten, note, rewrite } from "../output.ts";
import { statusLine } from "../task-output.ts";

/** Without a terminal, a change of the progress alone is told at most this often. */
const PLAIN_PROGRESS_MS = 10_000;
const CLOCK_MS = 1_000;

/** Shows how a task is doing while a command waits for it. */
export interface StatusDisplay {
  show(task: Task): void;
  /** Nothing is shown any more. */
  end(): void;
}

/** Shows nothing: what the command prints is for a program. */
const NONE: StatusDisplay = { show: () => {}, end: () => {} };

/** A line that is rewritten on a terminal, plain lines elsewhere, nothing for programs. */
export function statusDisplay(isForProgram: boolean, now = () => performance.now()): StatusDisplay {
  if (isForProgram) return NONE;
  return canRewrite() ? new LiveLine(now) : new PlainLines(now);
}

/** One line on stderr with the time since the wait began, removed at the end. */
class LiveLine implements StatusDisplay {
  readonly #now: () => number;
  readonly #since: number;
  readonly #clock: ReturnType<typeof setInterval>;
  #text: string | null = null;

  constructor(now: () => number) {
    this.#now = now;
    this.#since = now();
    this.#clock = setInterval(() => this.#draw(), CLOCK_MS);
  }

  show(task: Task): void {
    if (hasEnded(task)) return; // the command prints the end
    this.#text = statusLine(task);
    this.#draw();
  }

  end(): void {
    clearInterval(this.#clock);
    if (this.#text !== null) clearRewritten();
    this.#text = null;
  }

  #draw(): void {
    if (this.#text !== null) rewrite(`${elapsed(this.#now() - this.#since)}  ${this.#text}`);
  }
}

/** A line on stderr for each change of state and peer, and some for the progress. */
export class PlainLines implements StatusDisplay {
  readonly #now: () => number;
  readonly #since: number;
  #told = "";
  #text = "";
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(now: () => number) {
    this.#now = now;
    this.#since = now();
  }

  show(task: Task): void {
    if (hasEnded(task)) return;
    const now = this.#now();
    const what = `${task.state} ${task.attempts.length} ${task.attempts.at(-1)?.peer_id ?? ""}`;
    const text = statusLine(task);
    const isDue = text !== this.#text && now - this.#toldAt >= PLAIN_PROGRESS_MS;
    if (what === this.#told && !isDue) return;
    this.#told = what;
    this.#text = text;
    this.#toldAt = now;
    note(`${elapsed(now - this.#since)}  ${text}`);
  }

  end(): void {}
}

/** `0:07`, `12:30`, `1:00:00`. */
export function elapsed(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const [s, m, h] = [seconds % 60, Math.floor(seconds / 60) % 60, Math.floor(seconds / 3_600)];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

const two = (n: number): string => String(n).padStart(2, "0");
