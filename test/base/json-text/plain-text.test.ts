import assert from "node:assert/strict";
import { expect, it } from "vitest";
import { plainUntil } from "../../../src/base/json-text/plain-text.ts";

it("plainUntil finds the first character that JSON escapes or that ends the string, wherever it is", () => {
  for (let code = 0; code < 0x80; code++) {
    const character = String.fromCharCode(code);
    const isPlain = code >= 0x20 && character !== '"' && character !== "\\";
    for (const before of [0, 1, 31, 32, 33, 1_000])
      for (const filler of ["x", "é", "漢"]) {
        const text = filler.repeat(before) + character + filler;
        assert.equal(plainUntil(text, 0), isPlain ? text.length : before);
        assert.equal(plainUntil(text, before), isPlain ? text.length : before);
      }
  }
  expect(plainUntil("", 0)).toBe(0);
  expect(plainUntil('""', 1)).toBe(1);
});
