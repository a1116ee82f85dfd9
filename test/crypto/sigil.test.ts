import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { xchachaOpen } from "../../src/crypto/primitives.ts";
import { openSigil, sealSigil, SIGIL_OVERHEAD } from "../../src/crypto/sigil.ts";
import { present } from "../must.ts";
import { seededRandom } from "../random.ts";

const key = seededRandom(1)(32);

/** Borg's keystream by Node's SHA-256: block i is SHA-256(nonce + i as uint64 big-endian). */
function keystream(nonce: Uint8Array, length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, index) => {
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(index));
    return createHash("sha256").update(nonce).update(counter).digest();
  });
  return Buffer.concat(blocks).subarray(0, length);
}

describe("a payload in Borg's sigil format", () => {
  test("opens to the sealed plaintext, at every length around the keystream's block size", () => {
    for (const length of [0, 1, 31, 32, 33, 63, 64, 65, 1_000, 100_003]) {
      const plaintext = seededRandom(length + 1)(length);
      const sealed = sealSigil(key, plaintext, seededRandom(2));
      expect(sealed).toHaveLength(length + SIGIL_OVERHEAD);
      expect(openSigil(key, sealed)).toEqual(plaintext);
    }
  });

  test("is the nonce, then XChaCha20-Poly1305 of the plaintext XORed with the keystream", () => {
    const sealing = fc.record({ plaintext: fc.uint8Array({ maxLength: 200 }), seed: fc.nat() });
    fc.assert(
      fc.property(sealing, ({ plaintext, seed }) => {
        const sealed = sealSigil(key, plaintext, seededRandom(seed));
        const nonce = sealed.subarray(0, 24);
        expect(nonce).toEqual(seededRandom(seed)(24));
        const mixed = present(xchachaOpen(key, nonce, sealed.subarray(24)));
        const stream = keystream(nonce, plaintext.length);
        expect(mixed.map((byte, at) => byte ^ (stream[at] ?? 0))).toEqual(plaintext);
      }),
    );
  });

  test("does not open when any bit was changed or any byte is missing", () => {
    const sealed = sealSigil(key, seededRandom(3)(20), seededRandom(4));
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const copy = sealed.slice();
      copy[bit >> 3] = (sealed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(openSigil(key, copy), `bit ${bit}`).toBeNull();
    }
    for (let length = 0; length < sealed.length; length += 1) {
      expect(openSigil(key, sealed.subarray(0, length)), `${length} bytes`).toBeNull();
    }
  });

  test("does not open with another key", () => {
    const sealed = sealSigil(key, seededRandom(3)(20), seededRandom(4));
    expect(openSigil(seededRandom(5)(32), sealed)).toBeNull();
  });
});
