import { isDamagedText } from "../../src/base/damaged-storage.ts";
import { isUnexplainedText } from "../../src/base/disk-shortage.ts";
import type { Logger } from "../../src/base/log/logger.ts";

/** Each request that reads the damaged pages writes a line and a stack. */
const REPEAT_MS = 60_000;

export interface DamageWatchOptions {
  /** The folder of the mesh. */
  readonly folder: string;
  readonly log: Logger;
  readonly now: () => number;
}

/** Says once a minute that a database of a mesh is damaged, in place of the stacks that workerd writes of it. */
export class DamageWatch {
  readonly #options: DamageWatchOptions;
  #code: string | null = null;
  #saidAt: number | null = null;
  #isStarted = false;

  constructor(options: DamageWatchOptions) {
    this.#options = options;
  }

  /** SQLite's code of the damage; null if there was none. */
  get code(): string | null {
    return this.#code;
  }

  /** The mesh runs. A start that fails says so itself. */
  started(): void {
    this.#isStarted = true;
    if (this.#code !== null) this.#say();
  }

  /** Whether a text that workerd writes is to be logged as it is. */
  admits(text: string): boolean {
    if (!isDamagedText(text)) return this.#code === null || !isUnexplainedText(text);
    this.#code = /SQLITE_[A-Z_]+/.exec(text)?.[0] ?? "SQLITE_CORRUPT";
    if (this.#isStarted) this.#say();
    return false;
  }

  #say(): void {
    const { folder, log, now } = this.#options;
    if (this.#saidAt !== null && now() - this.#saidAt < REPEAT_MS) return;
    this.#saidAt = now();
    log.write("database.damaged", { folder, reason: this.#code ?? "" });
  }
}
