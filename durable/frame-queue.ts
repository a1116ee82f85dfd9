import { FRAME_BYTES_WAITING_MAX, FRAMES_WAITING_MAX } from "../src/protocol/constants.ts";

/**
 * Takes the events of one socket strictly one after another: the platform's handlers interleave at every `await`, and
 * a session's state must not. It is bounded, for there is no backpressure on a WebSocket here.
 */
export class FrameQueue {
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #bytes = 0;

  /** Whether a frame of this size would be more than may wait. */
  isFullFor(bytes: number): boolean {
    return this.#waiting >= FRAMES_WAITING_MAX || this.#bytes + bytes > FRAME_BYTES_WAITING_MAX;
  }

  /** Runs the work when all before it is done; a failure is the work's own and stops nobody behind it. */
  async run<T>(work: () => Promise<T>, bytes = 0): Promise<T> {
    this.#waiting++;
    this.#bytes += bytes;
    const turn = this.#tail.then(work);
    this.#tail = turn.catch(() => undefined); // reported to whoever awaits the turn
    try {
      return await turn;
    } finally {
      this.#waiting--;
      this.#bytes -= bytes;
    }
  }
}
