import { SECOND, type Millis } from "../src/base/clock.ts";
import { err, ok, type Result } from "../src/base/result.ts";
import type { MusterError } from "../src/protocol/errors.ts";

/** Large bodies that one isolate reads at the same time: each takes a few MiB of its 128. */
const IN_PROGRESS_MAX = 8;
/** Of one source, so that no source keeps out the others. */
const OF_SOURCE_MAX = 4;
/** Of one address, so that a sender without the secret keeps out nobody else. */
const OF_ADDRESS_MAX = 2;
/** Deliveries that wait for others to end. GitHub waits 10 s for its answer, and does not send again. */
const WAITING_MAX = 32;
const WAIT_MAX = 5 * SECOND;
const POLL_MS = 50;
/** Seconds. */
const RETRY_AFTER = 5;

/** How many large bodies this isolate reads, by source and by address. */
export class LargeDeliveries {
  readonly #waitMax: Millis;
  #waiting = 0;
  readonly #inProgress = new Set<{ readonly source: string; readonly address: string }>();

  constructor(waitMax: Millis = WAIT_MAX) {
    this.#waitMax = waitMax;
  }

  /** Waits for its turn; the function that ends it, or `unavailable`. */
  async begin(source: string, address: string): Promise<Result<() => void, MusterError>> {
    const delivery = { source, address };
    const until = Date.now() + this.#waitMax;
    if (!this.#hasRoom(delivery) && this.#waiting >= WAITING_MAX) return BUSY;
    this.#waiting++;
    try {
      // Requests do not wake each other: the platform ends what a request waits for with the other request.
      while (!this.#hasRoom(delivery)) {
        if (Date.now() >= until) return BUSY;
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    } finally {
      this.#waiting--;
    }
    this.#inProgress.add(delivery);
    return ok(() => this.#inProgress.delete(delivery));
  }

  #hasRoom({ source, address }: { readonly source: string; readonly address: string }): boolean {
    const all = [...this.#inProgress];
    return (
      all.length < IN_PROGRESS_MAX &&
      all.filter((one) => one.source === source).length < OF_SOURCE_MAX &&
      all.filter((one) => one.address === address).length < OF_ADDRESS_MAX
    );
  }
}

const BUSY = err<MusterError>({
  code: "unavailable",
  detail: "too many large deliveries arrive at the same time; send this one again",
  retryAfter: RETRY_AFTER,
});
