import type { Logger } from "../../src/base/log/logger.ts";
import { isUnexplainedText } from "../../src/base/disk-shortage.ts";
import { isFullText } from "../../src/base/full-storage.ts";
import { diskRoom, freeMegabytes, shortageOf, type DiskRoom } from "./disk-room.ts";

export interface DiskWatchOptions {
  /** The folder of the mesh. */
  readonly folder: string;
  readonly log: Logger;
  readonly now: () => number;
  /** Default: asks the system. */
  readonly measure?: (folder: string) => DiskRoom;
}

/** How often the disk is looked at while nobody asks. */
const INTERVAL_MS = 10_000;
/** Of the errors of a full database on a disk that has room, one is logged in this time: the operator may have set a quota. */
const REPEAT_MS = 60_000;
/** For so long after the disk was full, its errors are late reports: an object that could not be opened says so when it is called again. */
const LATE_MS = 60_000;

/** Says once that the disk of a mesh is full, and once that it has room again. */
export class DiskWatch {
  readonly #options: DiskWatchOptions;
  readonly #timer: ReturnType<typeof setInterval>;
  #isShort = false;
  #errorAt: number | null = null;
  #shortAt: number | null = null;

  constructor(options: DiskWatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.check(), INTERVAL_MS).unref();
  }

  /** What the disk lacks; null if it has room. Logs a change. */
  check(): string | null {
    const { folder, log, now, measure = diskRoom } = this.#options;
    let room: DiskRoom;
    try {
      room = measure(folder);
    } catch {
      return null; // the folder is gone, or does not say: nothing is known
    }
    const shortage = shortageOf(room);
    const isShort = shortage !== null;
    if (isShort && !this.#isShort) log.write("disk.full", { folder, reason: shortage });
    if (!isShort && this.#isShort)
      log.write("disk.has_room", { folder, free_mb: freeMegabytes(room) });
    if (isShort) this.#shortAt = now();
    this.#isShort = isShort;
    return shortage;
  }

  /** Whether a text that workerd writes is worth logging. On a full disk each request would write one, and each timer a stack. */
  admits(text: string): boolean {
    const isFull = isFullText(text);
    if (!isFull && !isUnexplainedText(text)) return true;
    if (this.check() !== null) return false;
    const now = this.#options.now();
    if (this.#shortAt !== null && now - this.#shortAt < LATE_MS) return false;
    if (!isFull) return true;
    if (this.#errorAt !== null && now - this.#errorAt < REPEAT_MS) return false;
    this.#errorAt = now;
    return true;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
