import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  callbackKey,
  neverRotated,
  rotated,
  secretOfVersion,
  signingSecrets,
} from "../../src/webhooks/index.ts";

const KEY = callbackKey(new Uint8Array(32).fill(3));
const secretOf = (owner: string, origin: string, version = 1, key = KEY): string =>
  secretOfVersion(key, neverRotated(owner, origin), version);

describe("the secret that signs callbacks", () => {
  test("CB30 is a secret of Standard Webhooks, and always the same", () => {
    const secret = secretOf("admin", "https://one.example");
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(secretOf("admin", "https://one.example")).toBe(secret);
    expect(secretOf("admin", "https://one.example", 1, callbackKey(KEY))).not.toBe(secret);
  });

  test("CB30 differs for each owner, origin and version, however their texts are divided", () => {
    // Few characters, among them those of the notation: the same text results from many divisions.
    const Part = fc.string({
      unit: fc.constantFrom("a", '"', ",", "[", "]", "1", ":"),
      maxLength: 5,
    });
    const Named = fc.tuple(Part, Part, fc.integer({ min: 1, max: 12 }));
    fc.assert(
      fc.property(Named, Named, (one, other) => {
        const isSame = JSON.stringify(one) === JSON.stringify(other);
        expect(secretOf(...one) === secretOf(...other)).toBe(isSame);
      }),
    );
  });

  test("CB31 the secret before signs, too, until its end, and the one before that does not", () => {
    const Rotations = fc.array(fc.tuple(fc.nat(100), fc.nat(100)), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(Rotations, fc.nat(200), (rotations, later) => {
        let now = 1_000;
        let state = neverRotated("admin", "https://one.example");
        for (const [pause, overlap] of rotations) state = rotated(state, overlap, (now += pause));
        const version = rotations.length + 1;
        const [, overlap] = rotations.at(-1) ?? [0, 0];
        const versions = later < overlap ? [version, version - 1] : [version];
        const expected = versions.map((each) => secretOf("admin", "https://one.example", each));
        expect(signingSecrets(KEY, state, now + later)).toEqual(expected);
      }),
    );
  });
});
