import type { Millis } from "../src/base/clock.ts";
import { err, ok, type Result } from "../src/base/result.ts";
import type { ApiError } from "../src/protocol/errors.ts";

/** The body of one delivery, which is read once and within a limit of time. */
export class DeliveryBody {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | null;
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #timeMax: Millis;
  #isLate = false;
  #bytes = 0;

  constructor(request: Request, timeMax: Millis) {
    this.#timeMax = timeMax;
    this.#reader = request.body?.getReader() ?? null;
    this.#timer = setTimeout(() => {
      this.#isLate = true;
      this.stop();
    }, timeMax);
  }

  /** Bytes read so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The next part; null at the end. */
  async next(bytesMax: number): Promise<Result<Uint8Array | null, ApiError>> {
    try {
      const part = await this.#reader?.read();
      if (this.#isLate) return err(tooLate(this.#timeMax));
      if (part === undefined || part.done) return ok(null);
      this.#bytes += part.value.length;
      return this.#bytes > bytesMax ? err(bodyTooLarge(bytesMax)) : ok(part.value);
    } catch {
      return err(this.#isLate ? tooLate(this.#timeMax) : BROKEN);
    }
  }

  /** Call it when the body is not read any more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#reader?.cancel().catch(() => {}); // the connection broke
  }
}

export const bodyTooLarge = (max: number): ApiError => ({
  code: "payload_too_large",
  detail: `the body is larger than ${max} bytes, the limit of this webhook source; set its max_body_bytes to raise it`,
});

const tooLate = (max: Millis): ApiError => ({
  code: "request_timeout",
  detail: `the body did not arrive within ${max / 1_000} s; send the delivery again`,
});

const BROKEN: ApiError = {
  code: "invalid_request",
  detail: "the connection broke before the end of the body; send the delivery again",
};
