import { describe, expect, test } from "vitest";
import { failuresAfter, reconnectJitter } from "../../src/client/peer/reconnect-backoff.ts";
import { retryDelay } from "../../src/client/http/request-retry.ts";
import { MusterApiError } from "../../src/client/errors.ts";

const failed = (status: number, retryAfter?: number) =>
  new MusterApiError("some_code", status, "", { retryAfter });

describe("the delay before dialing again", () => {
  test.each([
    [1, 500],
    [2, 1_000],
    [6, 16_000],
    [7, 30_000],
    [8, 30_000],
    [10_000, 30_000],
  ])("after %i failures in a row is evenly distributed below %i ms", (failures, ceiling) => {
    expect(reconnectJitter(failures, 0)).toBe(0);
    expect(reconnectJitter(failures, 0.5)).toBe(ceiling / 2);
    expect(reconnectJitter(failures, 0.999_999_9)).toBe(ceiling - 1);
  });

  test("starts from the beginning after a session of a minute or longer", () => {
    expect(failuresAfter(4, 60_000)).toBe(0);
    expect(failuresAfter(4, 59_999)).toBe(5);
    expect(failuresAfter(4, null)).toBe(5);
  });
});

describe("the delay before an HTTP request is retried", () => {
  test.each([0, 429, 503])("exists for status %i: the request is retried", (status) => {
    expect(retryDelay(failed(status), 1, 0.5)).toBe(100);
    expect(retryDelay(failed(status), 2, 0.5)).toBe(200);
  });

  test.each([400, 401, 404, 409, 500])(
    "does not exist for status %i: the request is not retried",
    (status) => {
      expect(retryDelay(failed(status), 1, 0.5)).toBeNull();
    },
  );

  test("is at least the mesh's Retry-After", () => {
    expect(retryDelay(failed(429, 3), 1, 0)).toBe(3_000);
  });

  test("does not exist when Retry-After is more than 30 s", () => {
    expect(retryDelay(failed(503, 31), 1, 0)).toBeNull();
  });

  test("does not exist after the fourth retry", () => {
    expect(retryDelay(failed(503), 4, 0)).toBe(0);
    expect(retryDelay(failed(503), 5, 0)).toBeNull();
  });

  test("does not exist for an error that is not the mesh's", () => {
    expect(retryDelay(new Error("aborted"), 1, 0)).toBeNull();
  });
});
