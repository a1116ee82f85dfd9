import { describe, expect, test } from "vitest";
import { failuresAfter, fullJitter } from "../../src/client/backoff.ts";
import { retryDelay } from "../../src/client/http/request-retry.ts";
import { MusterApiError } from "../../src/client/errors.ts";

const failed = (status: number, retryAfter?: number) =>
  new MusterApiError("some_code", status, "", { retryAfter });

describe("the pause before dialling again", () => {
  test.each([
    [0, 500],
    [1, 1_000],
    [5, 16_000],
    [6, 30_000],
    [7, 30_000],
    [10_000, 30_000],
  ])("after %i failures in a row lies anywhere below %i ms", (failures, ceiling) => {
    expect(fullJitter(failures, 0)).toBe(0);
    expect(fullJitter(failures, 0.5)).toBe(ceiling / 2);
    expect(fullJitter(failures, 0.999_999_9)).toBe(ceiling - 1);
  });

  test("begins anew once a session has lived for a minute, and not before", () => {
    expect(failuresAfter(4, 60_000)).toBe(0);
    expect(failuresAfter(4, 59_999)).toBe(5);
    expect(failuresAfter(4, null)).toBe(5);
  });
});

describe("the pause before an HTTP request is made again", () => {
  test.each([0, 429, 503])("exists for status %i", (status) => {
    expect(retryDelay(failed(status), 1, 0.5)).toBe(100);
    expect(retryDelay(failed(status), 2, 0.5)).toBe(200);
  });

  test.each([400, 401, 404, 409, 500])("does not exist for status %i", (status) => {
    expect(retryDelay(failed(status), 1, 0.5)).toBeNull();
  });

  test("is at least what the mesh asks for", () => {
    expect(retryDelay(failed(429, 3), 1, 0)).toBe(3_000);
  });

  test("is not taken when the mesh asks for more than half a minute", () => {
    expect(retryDelay(failed(503, 31), 1, 0)).toBeNull();
  });

  test("ends after the fourth try again", () => {
    expect(retryDelay(failed(503), 4, 0)).toBe(0);
    expect(retryDelay(failed(503), 5, 0)).toBeNull();
  });

  test("does not exist for an error of the caller's own", () => {
    expect(retryDelay(new Error("aborted"), 1, 0)).toBeNull();
  });
});
