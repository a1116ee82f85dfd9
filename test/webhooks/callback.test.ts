import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HOUR, SECOND } from "../../src/base/clock.ts";
import {
  CALLBACK_ATTEMPTS_MAX,
  CALLBACK_BACKOFF_INITIAL,
  CALLBACK_BACKOFF_MAX,
} from "../../src/protocol/constants.ts";
import {
  callbackKey,
  isAcknowledged,
  nextAttempt,
  openCallbackSecret,
  sealCallbackSecret,
  type Answer,
} from "../../src/webhooks/index.ts";
import { present } from "../must.ts";
import { seededRandom } from "../random.ts";

const answer = (status: number | null, retryAfter: number | null = null): Answer => ({
  status,
  error: null,
  retryAfter,
});
const Draw = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const Attempts = fc.integer({ min: 1, max: CALLBACK_ATTEMPTS_MAX - 1 });

describe("a callback without acknowledgement", () => {
  test("CB6 is repeated after a pause that quadruples each time, up to 12 hours, with a jitter of 25 percent", () => {
    fc.assert(
      fc.property(Attempts, Draw, fc.nat(), (attempts, draw, now) => {
        const pause = present(nextAttempt(attempts, answer(500), now, () => draw)) - now;
        const middle = Math.min(
          CALLBACK_BACKOFF_INITIAL * 4 ** (attempts - 1),
          CALLBACK_BACKOFF_MAX,
        );
        expect(pause).toBeGreaterThanOrEqual(Math.floor(middle * 0.75));
        expect(pause).toBeLessThanOrEqual(Math.ceil(middle * 1.25));
      }),
    );
  });

  test("CB6 fails after twelve attempts, about two days after the first", () => {
    let now = 0;
    let attempts = 0;
    for (let due: number | null = 0; due !== null;) {
      now = due;
      due = nextAttempt(++attempts, answer(503), now, () => 0.5);
    }
    expect(attempts).toBe(CALLBACK_ATTEMPTS_MAX);
    expect(now).toBeGreaterThan(44 * HOUR);
    expect(now).toBeLessThan(52 * HOUR);
  });

  test("CB6 fails at any attempt that is answered with 410", () => {
    fc.assert(
      fc.property(Attempts, (attempts) => {
        expect(nextAttempt(attempts, answer(410), 0, () => 0)).toBeNull();
      }),
    );
  });

  test("CB6 waits for the time in Retry-After, up to 12 hours", () => {
    fc.assert(
      fc.property(Attempts, fc.nat(), Draw, (attempts, seconds, draw) => {
        const pause = present(nextAttempt(attempts, answer(429, seconds), 0, () => draw));
        expect(pause).toBeGreaterThanOrEqual(Math.min(seconds * SECOND, CALLBACK_BACKOFF_MAX));
        expect(pause).toBeLessThanOrEqual(CALLBACK_BACKOFF_MAX * 1.25);
      }),
    );
  });

  test("CB4 is acknowledged only by 2xx", () => {
    for (const status of [200, 201, 202, 204, 299])
      expect(isAcknowledged(answer(status))).toBe(true);
    for (const status of [null, 100, 199, 300, 301, 307, 400, 410, 500])
      expect(isAcknowledged(answer(status))).toBe(false);
  });
});

describe("the secret of one task's callback", () => {
  const key = callbackKey(new Uint8Array(32).fill(3));

  test("CB8 is sealed if it was given with a task, and opens only for that task", () => {
    const sealed = sealCallbackSecret(key, "task-1", "whsec_secret", seededRandom(1));
    expect(atob(sealed)).not.toContain("secret");
    expect(openCallbackSecret(key, "task-1", sealed)).toBe("whsec_secret");
    expect(openCallbackSecret(key, "task-2", sealed)).toBeNull();
    expect(openCallbackSecret(callbackKey(key), "task-1", sealed)).toBeNull();
    expect(openCallbackSecret(key, "task-1", "not base64")).toBeNull();
  });
});
