import { FRAME_QUEUE_BYTES_MAX, FRAME_QUEUE_MAX } from "../src/protocol/constants.ts";

/**
 * Runs the events of one socket one after another: the platform's handlers interleave at every `await`, and the frames of a
 * session must be stepped in the order of their arrival. Bounded, because a WebSocket has no backpressure here.
 */
export class EventQueue {
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #bytes = 0;

  /** Whether a frame of this size exceeds what may wait. */
  isFullFor(bytes: number): boolean {
    return this.#waiting >= FRAME_QUEUE_MAX || this.#bytes + bytes > FRAME_QUEUE_BYTES_MAX;
  }

  /** Runs the work when all earlier work is done. A failure is reported to this caller and does not affect later work. */
  async run<T>(work: () => Promise<T>, bytes = 0): Promise<T> {
    this.#waiting++;
    this.#bytes += bytes;
    const turn = this.#tail.then(work);
    this.#tail = turn.catch(() => undefined); // reported to the caller below
    try {
      return await turn;
    } finally {
      this.#waiting--;
      this.#bytes -= bytes;
    }
  }
}
