import { SECOND, type Millis } from "../../base/clock.ts";
import { MESSAGES_BURST, MESSAGES_PER_SECOND } from "../../protocol/constants.ts";

/** 10 % below the mesh's rate limit (RL2), because the two clocks do not run at exactly the same speed. */
const BURST = 0.9 * MESSAGES_BURST;
const PER_SECOND = 0.9 * MESSAGES_PER_SECOND;
/** Frames that may be queued. A program that exceeds this sends faster than the limit for long: `send` returns false. */
const QUEUE_MAX = 2_048;

type Frame = string | Uint8Array<ArrayBuffer>;

/** Sends frames in order, at most at the rate that the mesh accepts: a token bucket with a queue. */
export class SendPacer {
  readonly #now: () => Millis;
  readonly #emit: (frame: Frame) => void;
  readonly #queue: Frame[] = [];
  #tokens = BURST;
  #refilledAt: Millis;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(now: () => Millis, emit: (frame: Frame) => void) {
    this.#now = now;
    this.#emit = emit;
    this.#refilledAt = now();
  }

  get full(): boolean {
    return this.#queue.length >= QUEUE_MAX;
  }

  /** Queues a frame; false if the queue is full. */
  send(frame: Frame): boolean {
    if (this.full) return false;
    this.#queue.push(frame);
    this.#flush();
    return true;
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#queue.length = 0;
  }

  #flush(): void {
    if (this.#timer !== null) return;
    this.#refill();
    while (this.#tokens >= 1) {
      const frame = this.#queue.shift();
      if (frame === undefined) return;
      this.#tokens--;
      this.#emit(frame);
    }
    if (this.#queue.length === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#flush();
    }, SECOND / PER_SECOND);
  }

  #refill(): void {
    const now = this.#now();
    const elapsed = Math.max(0, now - this.#refilledAt);
    this.#tokens = Math.min(BURST, this.#tokens + (elapsed / SECOND) * PER_SECOND);
    this.#refilledAt = now;
  }
}
