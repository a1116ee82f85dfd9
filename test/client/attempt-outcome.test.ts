import { describe, expect, test } from "vitest";
import { fromBase64, fromUtf8, toHex } from "../../src/base/bytes.ts";
import { TaskError } from "../../src/client/errors.ts";
import { generateIdentity } from "../../src/client/keys.ts";
import { runToOutcome } from "../../src/client/work/attempt-outcome.ts";
import { openResult } from "../../src/stmf/task-result.ts";
import { present } from "../must.ts";
import { jsonText } from "../wire.ts";

const failing = (options?: { retry: boolean }) =>
  runToOutcome(() => Promise.reject(new TaskError("bad input", options)));
const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);

test("the value that a handler returns or resolves to is the result", async () => {
  expect(await runToOutcome(() => ({ a: [1] }))).toEqual({
    ok: true,
    result: jsonText({ a: [1] }),
  });
  expect(await runToOutcome(() => Promise.resolve("x"))).toEqual({
    ok: true,
    result: jsonText("x"),
  });
});

test("a handler that returns nothing has the result null", async () => {
  expect(await runToOutcome(() => undefined)).toEqual({ ok: true, result: jsonText(null) });
});

test("a thrown error fails the attempt, and the task may be retried", async () => {
  const outcome = await runToOutcome(() => {
    throw new Error("no disk");
  });
  expect(outcome).toEqual({ ok: false, error: "no disk", retry: true });
});

test("a TaskError decides whether the task may be retried", async () => {
  expect(await failing({ retry: false })).toEqual({ ok: false, error: "bad input", retry: false });
  expect(await failing()).toEqual({ ok: false, error: "bad input", retry: true });
});

test("a thrown value that is not an Error becomes the error text", async () => {
  // eslint-disable-next-line no-throw-literal -- handlers in plain JavaScript do this
  const outcome = await runToOutcome(() => Promise.reject("just text"));
  expect(outcome).toEqual({ ok: false, error: "just text", retry: true });
});

test("an error text is cut to the protocol's maximum length", async () => {
  const outcome = await runToOutcome(() => Promise.reject(new Error("x".repeat(5_000))));
  expect(outcome).toEqual({ ok: false, error: "x".repeat(2_000), retry: true });
});

test("a result of exactly 256 KiB is sent, one byte more fails without a retry", async () => {
  const quotes = 2;
  const fits = "x".repeat(256 * 1_024 - quotes);
  expect(await runToOutcome(() => fits)).toEqual({ ok: true, result: jsonText(fits) });
  expect(await runToOutcome(() => `${fits}x`)).toEqual({
    ok: false,
    error: "the result has 262145 bytes, more than can be sent",
    retry: false,
  });
});

test("the size of a result is counted in bytes, not in characters", async () => {
  expect(await runToOutcome(() => "é".repeat(140 * 1_024))).toMatchObject({
    ok: false,
    retry: false,
  });
});

test("a result that is not JSON fails without a retry", async () => {
  expect(await runToOutcome(() => 1n)).toMatchObject({ ok: false, retry: false });
});

test("a result nested deeper than the mesh parses fails without a retry", async () => {
  expect(await runToOutcome(() => nested(30))).toMatchObject({ ok: true });
  expect(await runToOutcome(() => nested(31))).toEqual({
    ok: false,
    error: expect.stringMatching(/nested deeper than 30 levels$/) as string,
    retry: false,
  });
});

describe("a result that may be uploaded", () => {
  const way = { sealTo: null, large: true };

  test("AS23 is uploaded if it does not fit a message, up to 25 MiB", async () => {
    const text = (bytes: number) => "x".repeat(bytes - 2);
    const most = 25 * 1_024 * 1_024;
    const large = await runToOutcome(() => text(most), way);
    expect("large" in large && [large.large.length, large.sealed]).toEqual([most, false]);
    expect(await runToOutcome(() => text(most + 1), way)).toMatchObject({
      ok: false,
      retry: false,
    });
    expect(await runToOutcome(() => "short", way)).toEqual({ ok: true, result: jsonText("short") });
  });

  test("AS24 is sealed to the caller's key, in a message or as an upload", async () => {
    const keys = generateIdentity();
    const sealTo = toHex(keys.publicKey);
    const short = await runToOutcome(() => [1, 2], { sealTo, large: true });
    if (!("result" in short)) throw new Error("it fits a message");
    expect(short.sealed).toBe(true);
    const opened = openResult(
      present(fromBase64(JSON.parse(short.result.text) as string)),
      keys.privateKey,
    );
    expect(fromUtf8(present(opened))).toBe("[1,2]");
    const long = await runToOutcome(() => "x".repeat(300_000), { sealTo, large: true });
    expect("large" in long && long.sealed).toBe(true);
    expect(await runToOutcome(() => 1, { sealTo: "00".repeat(32), large: true })).toMatchObject({
      ok: false,
      retry: false,
    });
  });
});
