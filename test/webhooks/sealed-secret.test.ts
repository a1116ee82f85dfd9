import { hkdfSync } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toHex, utf8 } from "../../src/base/bytes.ts";
import { openSecret, sealSecret, storageKey } from "../../src/webhooks/index.ts";
import { hexBytes } from "../must.ts";
import { seededRandom } from "../random.ts";
import { flipBit } from "./bit-flips.ts";

const SIGNING_KEY = new Uint8Array(32).fill(3);
const Secret = fc.string({ unit: "binary", maxLength: 100 });

describe("a sealed secret", () => {
  test("opens with the name of its source", () => {
    fc.assert(
      fc.property(Secret, fc.integer(), (secret, seed) => {
        const key = storageKey(SIGNING_KEY, "orders");
        expect(openSecret(key, sealSecret(key, secret, seededRandom(seed)))).toBe(secret);
      }),
    );
  });

  test("does not open with another name", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (name, other) => {
        fc.pre(name !== other);
        const sealed = sealSecret(storageKey(SIGNING_KEY, name), "a secret", seededRandom(1));
        expect(openSecret(storageKey(SIGNING_KEY, other), sealed)).toBeNull();
      }),
    );
  });

  test("does not open with the key of another mesh", () => {
    const sealed = sealSecret(storageKey(SIGNING_KEY, "orders"), "a secret", seededRandom(1));
    const other = storageKey(new Uint8Array(32).fill(4), "orders");
    expect(openSecret(other, sealed)).toBeNull();
  });

  test("does not open if a bit is changed, or if it is shortened or extended", () => {
    const key = storageKey(SIGNING_KEY, "orders");
    const sealed = sealSecret(key, "a secret", seededRandom(1));
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      expect(openSecret(key, flipBit(sealed, bit)), `bit ${bit}`).toBeNull();
    }
    for (let length = 0; length < sealed.length; length++) {
      expect(openSecret(key, sealed.subarray(0, length)), `${length} bytes`).toBeNull();
    }
    expect(openSecret(key, Uint8Array.of(...sealed, 0))).toBeNull();
  });

  test("is a version byte, a 24-byte nonce, the encrypted secret and a 16-byte tag", () => {
    const sealed = sealSecret(storageKey(SIGNING_KEY, "orders"), "a secret", (n) =>
      new Uint8Array(n).fill(9),
    );
    expect(sealed[0]).toBe(1);
    expect(sealed.subarray(1, 25)).toEqual(new Uint8Array(24).fill(9));
    expect(sealed.length).toBe(1 + 24 + "a secret".length + 16);
    expect(toHex(sealed)).not.toContain(toHex(utf8("secret")));
  });

  test("is sealed differently each time", () => {
    const key = storageKey(SIGNING_KEY, "orders");
    const random = seededRandom(1);
    expect(sealSecret(key, "a secret", random)).not.toEqual(sealSecret(key, "a secret", random));
  });

  test("stays readable if it was sealed by the first version", () => {
    const sealed = hexBytes(`01${"00".repeat(24)}921548416f3c4bc300b72fbb2fb9387c8fb7549ca110e661`);
    expect(openSecret(storageKey(SIGNING_KEY, "orders"), sealed)).toBe("a secret");
  });

  test("is sealed with HKDF-SHA256 of the signing key and the source's name", () => {
    const info = "muster/webhook-secret/1:orders";
    const expected = hkdfSync("sha256", SIGNING_KEY, "", info, 32);
    expect(storageKey(SIGNING_KEY, "orders")).toEqual(new Uint8Array(expected));
  });
});
