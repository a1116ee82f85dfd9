import { expect, test } from "vitest";
import { concat, equalConstantTime, toHex } from "../../src/base/bytes.ts";
import {
  chachaOpen,
  chachaSeal,
  hkdfSha256,
  hmacSha256,
  x25519Agree,
  xchachaOpen,
  xchachaSeal,
} from "../../src/crypto/primitives.ts";
import { nativeX25519 } from "../../src/crypto/x25519.ts";
import { hexBytes } from "../must.ts";
import { describeVectors, type Wycheproof } from "../shared.ts";

/** Runs every case of a suite. Returns the IDs of the failed cases and the number of all cases. */
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

  test("matches every case, and refuses the low-order keys that the suite lets an implementation accept", () => {
    const decided = decide(cases, (each) => {
      const agreed = x25519Agree(hexBytes(each.private), hexBytes(each.public));
      return isZero(each) ? agreed === null : agreed !== null && toHex(agreed) === each.shared;
    });
    expect(decided).toEqual({ wrong: [], count: suite.numberOfTests });
  });

  test("gives the same results by the runtime's WebCrypto", async () => {
    const wrong: number[] = [];
    for (const each of cases) {
      const agreed = await nativeX25519.agree(hexBytes(each.private), hexBytes(each.public));
      if (isZero(each) ? agreed !== null : agreed === null || toHex(agreed) !== each.shared)
        wrong.push(each.tcId);
    }
    expect(wrong).toEqual([]);
  });

  test("includes cases with keys of low order", () => {
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

const CIPHERS = [
  ["XChaCha20-Poly1305", "xchacha20_poly1305_test.json", xchachaSeal, xchachaOpen],
  ["ChaCha20-Poly1305", "chacha20_poly1305_test.json", chachaSeal, chachaOpen],
] as const;

for (const [name, file, seal, open] of CIPHERS) {
  describeVectors<Wycheproof<Aead>>(`Wycheproof ${name}`, `wycheproof/${file}`, (suite) => {
    const cases = suite.testGroups.flatMap((group) => group.tests);

    test("opens every valid case and refuses every invalid one, including nonces of the wrong length", () => {
      const decided = decide(cases, (each) => {
        const { key, nonce, aad, sealed } = parts(each);
        const opened = open(key, nonce, sealed, aad);
        return each.result === "valid"
          ? opened !== null && toHex(opened) === each.msg
          : opened === null;
      });
      expect(decided).toEqual({ wrong: [], count: suite.numberOfTests });
    });

    test("seals every valid case to the expected bytes", () => {
      const valid = cases.filter((each) => each.result === "valid");
      const decided = decide(valid, (each) => {
        const { key, nonce, aad, sealed } = parts(each);
        return equalConstantTime(seal(key, nonce, hexBytes(each.msg), aad), sealed);
      });
      expect(decided).toEqual({ wrong: [], count: valid.length });
      expect(valid.length).toBeGreaterThan(200);
    });
  });
}

interface Mac {
  readonly key: string;
  readonly msg: string;
  readonly tag: string;
}

describeVectors<Wycheproof<Mac, { tagSize: number }>>(
  "Wycheproof HMAC-SHA256",
  "wycheproof/hmac_sha256_test.json",
  (suite) => {
    test("accepts every valid tag and refuses every invalid one", () => {
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
    test("derives every valid case, and refuses lengths above the limit of HKDF", () => {
      const cases = suite.testGroups.flatMap((group) => group.tests);
      const decided = decide(cases, (each) => {
        try {
          const salt = each.salt === "" ? undefined : hexBytes(each.salt);
          const made = hkdfSha256(hexBytes(each.ikm), hexBytes(each.info), each.size, salt);
          return each.result === "valid" && toHex(made) === each.okm;
        } catch {
          return each.result === "invalid"; // more than 255 blocks (RFC 5869 §2.3)
        }
      });
      expect(decided).toEqual({ wrong: [], count: suite.numberOfTests });
    });
  },
);
