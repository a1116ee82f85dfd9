import { createHash, createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { toHex, utf8 } from "../../src/base/bytes.ts";
import { answerChallenge, verifyChallengeAnswer } from "../../src/crypto/challenge.ts";
import { isCanonicalKey, peerIdOf, sharedSecret } from "../../src/crypto/identity.ts";
import { keyPairFrom, newKeyPair } from "../../src/crypto/key-pairs.ts";
import {
  ed25519PublicKey,
  platformRandom,
  sha256,
  x25519Agree,
} from "../../src/crypto/primitives.ts";
import { PeerId } from "../../src/protocol/ids.ts";
import { hexBytes, present } from "../must.ts";
import { seededRandom } from "../random.ts";

/** RFC 7748 §6.1. */
const RFC_7748 = {
  alice: {
    private: "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
    public: "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
  },
  bob: {
    private: "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
    public: "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
  },
  secret: "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742",
};
const { alice, bob } = RFC_7748;

/** Points of small order and their non-canonical encodings (https://cr.yp.to/ecdh.html#validate). */
const LOW_ORDER = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

describe("a key pair and its peer ID", () => {
  test("a private key has the public key that RFC 7748 lists", () => {
    for (const pair of [alice, bob]) {
      expect(toHex(keyPairFrom(hexBytes(pair.private)).publicKey)).toBe(pair.public);
    }
  });

  test("a peer ID is the first 16 bytes of SHA-256(public key), in lower-case hex", () => {
    const expected = createHash("sha256").update(alice.public, "hex").digest("hex").slice(0, 32);
    expect(keyPairFrom(hexBytes(alice.private)).id).toBe(expected);
    expect(peerIdOf(hexBytes(alice.public))).toBe(expected);
    expect(PeerId.parse(expected)).toBe(expected);
  });

  test("a new key pair is derived from the given random bytes", () => {
    const pair = newKeyPair(seededRandom(1));
    expect(pair).toEqual(keyPairFrom(seededRandom(1)(32)));
    expect(newKeyPair(seededRandom(2)).id).not.toBe(pair.id);
  });

  test("a seed has the Ed25519 public key that RFC 8032 lists", () => {
    const seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    expect(toHex(ed25519PublicKey(hexBytes(seed)))).toBe(
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    );
  });
});

describe("the shared secret of two key pairs", () => {
  test("is SHA-256 of the X25519 result of RFC 7748, the same on both sides", () => {
    const expected = createHash("sha256").update(RFC_7748.secret, "hex").digest("hex");
    const fromAlice = sharedSecret(hexBytes(alice.private), hexBytes(bob.public));
    const fromBob = sharedSecret(hexBytes(bob.private), hexBytes(alice.public));
    expect(toHex(present(fromAlice))).toBe(expected);
    expect(toHex(present(fromBob))).toBe(expected);
  });

  test.for(LOW_ORDER)("is null for a public key of low order: %s", (key) => {
    expect(x25519Agree(hexBytes(alice.private), hexBytes(key))).toBeNull();
    expect(sharedSecret(hexBytes(alice.private), hexBytes(key))).toBeNull();
  });

  test.for([0, 16, 31, 33, 64])(
    "is null for a public key of the wrong length: %i bytes",
    (length) => {
      const key = new Uint8Array(length).fill(9);
      expect(sharedSecret(hexBytes(alice.private), key)).toBeNull();
      expect(sharedSecret(key, hexBytes(bob.public))).toBeNull();
    },
  );
});

describe("a go-p2p challenge", () => {
  const secret = sha256(utf8("the secret"));
  const challenge = seededRandom(7)(32);
  const response = answerChallenge(secret, challenge, 1);

  test("has HMAC-SHA256 with the shared secret as its answer", () => {
    const expected = createHmac("sha256", secret).update(challenge).digest("hex");
    expect(toHex(response)).toBe(expected);
    expect(verifyChallengeAnswer(secret, challenge, response, 1)).toBe(true);
  });

  test("refuses an answer made with another secret, for another challenge, or truncated", () => {
    const other = sha256(utf8("another secret"));
    expect(verifyChallengeAnswer(other, challenge, response, 1)).toBe(false);
    expect(verifyChallengeAnswer(secret, seededRandom(8)(32), response, 1)).toBe(false);
    expect(verifyChallengeAnswer(secret, challenge, response.subarray(0, 31), 1)).toBe(false);
    expect(verifyChallengeAnswer(secret, challenge, new Uint8Array(), 1)).toBe(false);
    expect(verifyChallengeAnswer(secret, challenge, new Uint8Array(32), 1)).toBe(false);
  });
});

test("platformRandom returns the requested number of bytes, different each time", () => {
  expect(platformRandom(0)).toHaveLength(0);
  const drawn = new Set(Array.from({ length: 50 }, () => toHex(platformRandom(16))));
  expect(drawn.size).toBe(50);
  expect([...drawn].every((hex) => hex.length === 32)).toBe(true);
});

describe("the canonical encoding of a public key", () => {
  const pair = newKeyPair(seededRandom(21));
  const twin = pair.publicKey.with(31, (pair.publicKey[31] as number) | 0x80);
  const prime = Uint8Array.of(0xed, ...new Uint8Array(30).fill(0xff), 0x7f);

  test("is the only one accepted: X25519 treats other encodings as the same key, but they hash to other IDs", () => {
    const other = newKeyPair(seededRandom(22));
    expect(x25519Agree(other.privateKey, twin)).toEqual(
      x25519Agree(other.privateKey, pair.publicKey),
    );
    expect(peerIdOf(twin)).not.toBe(peerIdOf(pair.publicKey));
    expect(isCanonicalKey(pair.publicKey)).toBe(true);
    expect(isCanonicalKey(twin)).toBe(false);
    expect(sharedSecret(other.privateKey, twin)).toBeNull();
  });

  test.each([
    ["the prime", prime, false],
    ["one below it", prime.with(0, 0xec), true],
    ["one above it", prime.with(0, 0xee), false],
    ["zero", new Uint8Array(32), true],
    ["31 bytes", prime.subarray(1), false],
  ])("is recognized: %s", (_, key, canonical) => {
    expect(isCanonicalKey(key)).toBe(canonical);
  });
});
