import { expect, test } from "vitest";
import { concat, equalConstantTime, toHex } from "../../src/base/bytes.ts";
import {
  hkdfSha256,
  hmacSha256,
  x25519Agree,
  xchachaOpen,
  xchachaSeal,
} from "../../src/crypto/primitives.ts";
import { hexBytes } from "../must.ts";
import { describeVectors, type Wycheproof } from "../shared.ts";

/** Runs every case of a suite; the IDs of those that went wrong, and how many there were. */
function decide<Case extends { tcId: number }>(
  cases: readonly Case[],
  right: (testCase: Case) => boolean,
): { wrong: number[]; count: number } {
  return {
    wrong: cases.filter((each) => !right(each)).map(({ tcId }) => tcId),
    count: cases.length,
  };
}

interface Xdh {
  readonly public: string;
  readonly private: string;
  readonly shared: string;
}

const isZero = ({ shared }: Xdh) => /^0+$/.test(shared);

describeVectors<Wycheproof<Xdh>>("Wycheproof X25519", "wycheproof/x25519_test.json", (suite) => {
  const cases = suite.testGroups.flatMap((group) => group.tests);

  test("agrees with every case, and refuses the keys of low order that the suite leaves open", () => {
    const decided = decide(cases, (each) => {
      const agreed = x25519Agree(hexBytes(each.private), hexBytes(each.public));
      return isZero(each) ? agreed === null : agreed !== null && toHex(agreed) === each.shared;
    });
    expect(decided).toEqual({ wrong: [], count: suite.numberOfTests });
  });

  test("has cases of low order, so that refusing them was tried", () => {
    expect(cases.filter(isZero).length).toBeGreaterThan(20);
    expect(cases.filter((each) => each.flags.includes("ZeroSharedSecret")).every(isZero)).toBe(
      true,
    );
  });
});

interface Aead {
  readonly key: string;
  readonly iv: string;
  readonly aad: string;
  readonly msg: string;
  readonly ct: string;
  readonly tag: string;
}

const parts = (each: Aead) => ({
  key: hexBytes(each.key),
  nonce: hexBytes(each.iv),
  aad: hexBytes(each.aad),
  sealed: concat(hexBytes(each.ct), hexBytes(each.tag)),
});

describeVectors<Wycheproof<Aead>>(
  "Wycheproof XChaCha20-Poly1305",
  "wycheproof/xchacha20_poly1305_test.json",
  (suite) => {
    const cases = suite.testGroups.flatMap((group) => group.tests);

    test("opens every valid case and refuses every other, a nonce of the wrong length too", () => {
      const decided = decide(cases, (each) => {
        const { key, nonce, aad, sealed } = parts(each);
        const opened = xchachaOpen(key, nonce, sealed, aad);
        return each.result === "valid"
          ? opened !== null && toHex(opened) === each.msg
          : opened === null;
      });
      expect(decided).toEqual({ wrong: [], count: suite.numberOfTests });
    });

    test("seals every valid case to the suite's own bytes", () => {
      const valid = cases.filter((each) => each.result === "valid");
      const decided = decide(valid, (each) => {
        const { key, nonce, aad, sealed } = parts(each);
        return equalConstantTime(xchachaSeal(key, nonce, hexBytes(each.msg), aad), sealed);
      });
      expect(decided).toEqual({ wrong: [], count: valid.length });
      expect(valid.length).toBeGreaterThan(200);
    });
  },
);

interface Mac {
  readonly key: string;
  readonly msg: string;
  readonly tag: string;
}

describeVectors<Wycheproof<Mac, { tagSize: number }>>(
  "Wycheproof HMAC-SHA256",
  "wycheproof/hmac_sha256_test.json",
  (suite) => {
    test("accepts every valid tag and refuses every other", () => {
      const cases = suite.testGroups.flatMap(({ tests, tagSize }) =>
        tests.map((each) => Object.assign({ tagBytes: tagSize / 8 }, each)),
      );
      const decided = decide(cases, (each) => {
        const mac = hmacSha256(hexBytes(each.key), hexBytes(each.msg)).subarray(0, each.tagBytes);
        return equalConstantTime(mac, hexBytes(each.tag)) === (each.result === "valid");
      });
      expect(decided).toEqual({ wrong: [], count: suite.numberOfTests });
    });
  },
);

interface Hkdf {
  readonly ikm: string;
  readonly salt: string;
  readonly info: string;
  readonly size: number;
  readonly okm: string;
}

describeVectors<Wycheproof<Hkdf>>(
  "Wycheproof HKDF-SHA256",
  "wycheproof/hkdf_sha256_test.json",
  (suite) => {
    test("derives every case that has no salt, as Muster uses it", () => {
      const cases = suite.testGroups
        .flatMap((group) => group.tests)
        .filter((each) => each.salt === "" && each.result === "valid");
      const decided = decide(
        cases,
        (each) =>
          toHex(hkdfSha256(hexBytes(each.ikm), hexBytes(each.info), each.size)) === each.okm,
      );
      expect(decided).toEqual({ wrong: [], count: cases.length });
      expect(cases.length).toBeGreaterThan(10);
    });
  },
);
