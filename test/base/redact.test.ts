import { expect, test } from "vitest";
import { redact } from "../../src/base/redact.ts";

const SECRET = "0123456789abcdef".repeat(4);

test.each([
  [`wss://h.test/v1/connect?peer=a&proof=${SECRET}`, "wss://h.test/v1/connect"],
  [`muster://h.test/#${SECRET}&join=mjk_${SECRET}`, "muster://h.test/"],
  [
    `Failed to construct 'WebSocket': The URL 'wss://h.test/?proof=${SECRET}' is`,
    "Failed to construct 'WebSocket': The URL 'wss://h.test/' is",
  ],
  [`GET /v1/connect?proof=${SECRET} 101`, "GET /v1/connect 101"],
  [
    `error sending request for url (https://h.test/a?key=${SECRET})`,
    "error sending request for url (https://h.test/a",
  ],
  [`https://user:${SECRET}@h.test/a`, "https://h.test/a"],
  [`the token mst_${SECRET} and the key mjk_${SECRET}.`, "the token mst_… and the key mjk_…."],
  [`/v1/tasks/xmst_${SECRET}`, "/v1/tasks/xmst_…"],
  [`KEY_mjk_${SECRET}`, "KEY_mjk_…"],
  [`ws://a.test?${SECRET} ws://b.test#${SECRET}`, "ws://a.test ws://b.test"],
])("CL13 %j is redacted to %j", (text, redacted) => {
  expect(redact(text)).toBe(redacted);
});

test.each([
  "no URL at all",
  "why? because",
  "a/b?c",
  "https://h.test/path",
  "see #4",
  "12:30 // ok?",
])("CL13 %j stays as it is", (text) => {
  expect(redact(text)).toBe(text);
});

test("CL13 the time to redact a text grows with its length only", () => {
  for (const piece of ["a", "a:", "/", " /", "(/", "a://", "a@", "https://a", "mst_"]) {
    const text = piece.repeat(200_000 / piece.length);
    expect(redact(text).length).toBeGreaterThan(0);
  }
});
