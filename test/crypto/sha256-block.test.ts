import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat, toHex } from "../../src/base/bytes.ts";
import { sha256 } from "../../src/crypto/primitives.ts";
import { hashWithLastWord, precomputePrefix } from "../../src/crypto/sha256-block.ts";
import { hexBytes } from "../must.ts";
import { SCALE } from "../session/arbitraries.ts";

const wordAt28 = (message: Uint8Array): number =>
  new DataView(message.buffer, message.byteOffset).getInt32(28);

const bytesOfWords = (words: Int32Array): Uint8Array => {
  const view = new DataView(new ArrayBuffer(4 * words.length));
  words.forEach((word, at) => view.setInt32(4 * at, word));
  return new Uint8Array(view.buffer);
};

/** SHA-256 of 32 bytes by the function under test. */
function digestOf(message: Uint8Array): Uint8Array {
  const digest = new Int32Array(8);
  hashWithLastWord(precomputePrefix(message.subarray(0, 28)), wordAt28(message), digest);
  return bytesOfWords(digest);
}

const message = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe("SHA-256 of 32 bytes", () => {
  test("ST1 matches NIST's test vector for a message of 256 bits (CAVP, SHA256ShortMsg)", () => {
    const nist = hexBytes("09fc1accc230a205e4a208e64a8f204291f581a12756392da4b8c0cf5ef02b95");
    expect(toHex(digestOf(nist))).toBe(
      "4f44c1c7fbebb6f9601829f3897bfd650c56fa07844be76489076356ac1886a4",
    );
  });

  test.for([
    ["all zero", new Uint8Array(32)],
    ["all one", new Uint8Array(32).fill(0xff)],
    ["a lone first bit", new Uint8Array(32).with(0, 0x80)],
    ["a lone last bit", new Uint8Array(32).with(31, 1)],
    ["the sign bit of each word", Uint8Array.from({ length: 32 }, (_, i) => (i % 4 ? 0 : 0x80))],
  ] as const)("ST1 agrees with @noble and with Node on %s", ([, bytes]) => {
    expect(digestOf(bytes)).toEqual(sha256(bytes));
    expect(toHex(digestOf(bytes))).toBe(createHash("sha256").update(bytes).digest("hex"));
  });

  test("ST1 agrees with @noble on any 32 bytes", () => {
    fc.assert(
      fc.property(message, (bytes) => {
        expect(digestOf(bytes)).toEqual(sha256(bytes));
      }),
      { numRuns: 2_000 * SCALE },
    );
  });

  test("ST1 hashes any number of messages with one precomputed prefix, in any order", () => {
    const lasts = fc.array(fc.integer(), { minLength: 1, maxLength: 20 });
    const digest = new Int32Array(8);
    fc.assert(
      fc.property(message, lasts, (bytes, words) => {
        const shared = precomputePrefix(bytes.subarray(0, 28));
        for (const last of words) {
          hashWithLastWord(shared, last, digest);
          const whole = concat(bytes.subarray(0, 28), bytesOfWords(Int32Array.of(last)));
          expect(bytesOfWords(digest)).toEqual(sha256(whole));
        }
      }),
      { numRuns: 200 * SCALE },
    );
  });

  test("ST1 accepts a prefix that is a view into a larger buffer", () => {
    const wide = Uint8Array.from({ length: 50 }, (_, at) => 7 * at);
    const view = wide.subarray(11, 43);
    expect(digestOf(view)).toEqual(sha256(view));
  });
});
