import { SECOND, type Millis } from "../src/base/clock.ts";
import { err, type Result } from "../src/base/result.ts";
import type { Output } from "../src/contract/commands.ts";
import type { MusterError } from "../src/protocol/errors.ts";

/** How long a coordinator may take to answer. */
const ANSWER_TIMEOUT: Millis = 3 * SECOND;
/** For so long an answer is given again: anybody may ask, and each question would otherwise be a call of the coordinator. */
const ANSWER_KEPT: Millis = SECOND;

type Answer = Result<Output<"check_ready">, MusterError>;

/** Whether a coordinator answers, asked at most once a second. */
export class Readiness {
  #asked: { readonly at: Millis; readonly answer: Promise<Answer> } | null = null;

  ask(now: Millis, call: () => Promise<Answer>): Promise<Answer> {
    const last = this.#asked;
    if (last !== null && now >= last.at && now - last.at < ANSWER_KEPT) return last.answer;
    const answer = Promise.race([call(), tooLate()]);
    this.#asked = { at: now, answer };
    return answer;
  }
}

const tooLate = (): Promise<Answer> =>
  new Promise((resolve) =>
    setTimeout(
      () =>
        resolve(
          err({
            code: "unavailable",
            detail: `the coordinator did not answer within ${ANSWER_TIMEOUT / SECOND} s`,
            retryAfter: 2,
          }),
        ),
      ANSWER_TIMEOUT,
    ),
  );
