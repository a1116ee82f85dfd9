import { SECOND, type Millis } from "../../base/clock.ts";
import { MESSAGES_BURST, MESSAGES_PER_SECOND } from "../../protocol/constants.ts";

/** A little below what the mesh allows (RL2), for its clock and ours do not tick alike. */
const BURST = 0.9 * MESSAGES_BURST;
const PER_SECOND = 0.9 * MESSAGES_PER_SECOND;
/** Frames that may wait; a program that makes more has lost its measure, and is told that nothing goes out. */
const WAITING_MAX = 2_048;

type Frame = string | Uint8Array<ArrayBuffer>;

/** Sends frames in their order, no faster than the mesh takes them. */
export class Pacer {
  readonly #now: () => Millis;
  readonly #emit: (frame: Frame) => void;
  readonly #waiting: Frame[] = [];
  #tokens = BURST;
  #at: Millis;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(now: () => Millis, emit: (frame: Frame) => void) {
    this.#now = now;
    this.#emit = emit;
    this.#at = now();
  }

  get full(): boolean {
    return this.#waiting.length >= WAITING_MAX;
  }

  /** False when too many wait already. */
  send(frame: Frame): boolean {
    if (this.full) return false;
    this.#waiting.push(frame);
    this.#flush();
    return true;
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#waiting.length = 0;
  }

  #flush(): void {
    if (this.#timer !== null) return;
    const now = this.#now();
    this.#tokens = Math.min(
      BURST,
      this.#tokens + (Math.max(0, now - this.#at) / SECOND) * PER_SECOND,
    );
    this.#at = now;
    while (this.#tokens >= 1) {
      const frame = this.#waiting.shift();
      if (frame === undefined) return;
      this.#tokens--;
      this.#emit(frame);
    }
    if (this.#waiting.length === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#flush();
    }, SECOND / PER_SECOND);
  }
}
