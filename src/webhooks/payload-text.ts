import { utf8Length } from "../base/bytes.ts";
import { jsonFlaw } from "../base/json-text/flaw.ts";
import { JSON_DEPTH_MAX } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import { TASK_PAYLOAD_BYTES_MAX } from "../protocol/constants.ts";
import type { ApiError } from "../protocol/errors.ts";

/**
 * How deeply a payload may be nested: the message that carries it to a peer adds two levels (the envelope and the offer), and
 * the peer accepts at most JSON_DEPTH_MAX.
 */
export const PAYLOAD_DEPTH_MAX = JSON_DEPTH_MAX - 2;

/**
 * The JSON text of a payload while it is written. Nothing is added beyond the limit: a template may contain one large part of the event
 * thousands of times.
 *
 * A payload that is too large is `event_unmapped`, not `payload_too_large`: the sender's body is within its limit, and the
 * mapping must select less of it.
 */
export class PayloadText {
  readonly #parts: string[] = [];
  #room = TASK_PAYLOAD_BYTES_MAX;

  /** Adds a part; false if the payload is too large with it. */
  add(text: string): boolean {
    this.#room -= utf8Length(text);
    if (this.#room < 0) return false;
    this.#parts.push(text);
    return true;
  }

  /** The whole text, if every reader would read it as it was sent, and it is not nested too deeply (AS132). */
  end(): Result<string, ApiError> {
    const text = this.#parts.join("");
    const flaw = jsonFlaw(text, "payload", PAYLOAD_DEPTH_MAX);
    if (flaw === null) return ok(text);
    return err({ code: "event_unmapped", detail: `${flaw.path}: ${flaw.message}` });
  }
}

export const PAYLOAD_TOO_LARGE: ApiError = {
  code: "event_unmapped",
  detail: `the payload would be larger than ${TASK_PAYLOAD_BYTES_MAX} bytes; map a smaller part of the event`,
};
