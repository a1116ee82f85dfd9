import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat, fromUtf8, toBase64, utf8 } from "../../src/base/bytes.ts";
import type { JsonObject } from "../../src/base/json.ts";
import { sharedSecret } from "../../src/crypto/identity.ts";
import { keyPairFrom, newKeyPair } from "../../src/crypto/key-pairs.ts";
import { SIGIL_OVERHEAD, sealSigil } from "../../src/crypto/sigil.ts";
import { encodeContainer } from "../../src/crypto/trix.ts";
import { CONTAINER_BYTES_MAX, decodeStmf, encodeStmf } from "../../src/stmf/container.ts";
import { writeForm } from "../../src/stmf/form.ts";
import { decrypt, encrypt } from "../../src/stmf/index.ts";
import { sealForm } from "../../src/stmf/seal.ts";
import { hexBytes, must, mustFail, present } from "../must.ts";
import { seededRandom } from "../random.ts";
import { anyForm } from "./arbitraries.ts";
import { faultOf } from "./faults.ts";

const recipient = newKeyPair(seededRandom(1));
const FORM = { fields: [{ name: "a", value: "b", type: "text" }], meta: { k: "v" } };
const container = must(sealForm(FORM, recipient.publicKey, seededRandom(2)));
const HEADER_AT = 9;
const PAYLOAD_AT = HEADER_AT + 117;

/** A container sealed to the recipient with these bytes as plaintext, which need not be a form. */
function sealedBytes(plaintext: Uint8Array): Uint8Array {
  const ephemeral = newKeyPair(seededRandom(3));
  const key = present(sharedSecret(ephemeral.privateKey, recipient.publicKey));
  return encodeStmf({
    ephemeralPublicKey: ephemeral.publicKey,
    payload: sealSigil(key, plaintext, seededRandom(4)),
  });
}

const header = {
  algorithm: "x25519-chacha20poly1305",
  ephemeral_pk: toBase64(newKeyPair(seededRandom(3)).publicKey),
  version: "1.0",
};
const withHeader = (other: JsonObject): Uint8Array =>
  encodeContainer("STMF", { header: other, payload: container.subarray(PAYLOAD_AT) });

/** The error code with which a container is refused. */
const open = (data: Uint8Array) => faultOf(decrypt(data, recipient.privateKey));

/** The form, or the error code. Any other exception fails the test. */
async function outcome(data: Uint8Array): Promise<unknown> {
  try {
    return await decrypt(data, recipient.privateKey);
  } catch {
    return open(data);
  }
}

/** A copy of the container with one byte changed. */
const changed = (at: number, byte: number): Uint8Array => container.with(at, byte);

describe("an STMF container for one recipient", () => {
  test("ST2 a container is magic, version 2, header length, Borg's header without spaces, payload", () => {
    const ephemeral = newKeyPair(seededRandom(2));
    expect(fromUtf8(container.subarray(0, 4))).toBe("STMF");
    expect([...container.subarray(4, HEADER_AT)]).toEqual([2, 0, 0, 0, 117]);
    expect(fromUtf8(container.subarray(HEADER_AT, PAYLOAD_AT))).toBe(
      `{"algorithm":"x25519-chacha20poly1305","ephemeral_pk":"${toBase64(ephemeral.publicKey)}","version":"1.0"}`,
    );
    const plaintext = must(writeForm(FORM));
    expect(container.length).toBe(PAYLOAD_AT + SIGIL_OVERHEAD + plaintext.length);
  });

  test("ST3 a container opens to the sealed form, whatever it contains", async () => {
    await fc.assert(
      fc.asyncProperty(anyForm, fc.integer(), async (form, seed) => {
        const sealed = await encrypt(form, recipient.publicKey, seededRandom(seed));
        expect(await decrypt(sealed, recipient.privateKey)).toEqual(form);
      }),
      { numRuns: 60 },
    );
  });

  test("opens from a view into a larger buffer", async () => {
    const wrapped = concat(new Uint8Array(13), container, new Uint8Array(5));
    const view = wrapped.subarray(13, 13 + container.length);
    expect(await decrypt(view, recipient.privateKey)).toEqual(FORM);
  });

  test("differs each time in ephemeral key, nonce and ciphertext", async () => {
    const [one, two] = [
      await encrypt(FORM, recipient.publicKey),
      await encrypt(FORM, recipient.publicKey),
    ];
    const parts = [
      [HEADER_AT + 56, HEADER_AT + 100],
      [PAYLOAD_AT, PAYLOAD_AT + 24],
      [PAYLOAD_AT + 24, undefined],
    ] as const;
    for (const [from, to] of parts) {
      expect(one.subarray(from, to)).not.toEqual(two.subarray(from, to));
    }
    expect(await decrypt(one, recipient.privateKey)).toEqual(
      await decrypt(two, recipient.privateKey),
    );
  });

  test("does not contain its plaintext", async () => {
    const secret = "a-name-that-must-not-be-seen";
    const sealed = await encrypt(
      { fields: [{ name: secret, value: secret }] },
      recipient.publicKey,
    );
    expect(Buffer.from(sealed).includes(secret)).toBe(false);
  });
});

describe("unusable keys", () => {
  const LOW_ORDER = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  ];

  test.for(LOW_ORDER)("a public key of low order is refused before sealing: %s", async (hex) => {
    expect(await faultOf(encrypt(FORM, hexBytes(hex)))).toBe("public_key_invalid");
  });

  test.for(LOW_ORDER)(
    "an ephemeral key of low order in a container is refused: %s",
    async (hex) => {
      const forged = withHeader({ ...header, ephemeral_pk: toBase64(hexBytes(hex)) });
      expect(await faultOf(decrypt(forged, recipient.privateKey))).toBe("container_invalid");
    },
  );

  test.for([0, 31, 33, 64])("a key of the wrong length is refused: %i bytes", async (length) => {
    const key = new Uint8Array(length).fill(9);
    expect(await faultOf(encrypt(FORM, key))).toBe("public_key_invalid");
    expect(await faultOf(decrypt(container, key))).toBe("private_key_invalid");
  });

  test("a wrong private key gives container_sealed_otherwise", async () => {
    const other = newKeyPair(seededRandom(5));
    expect(await faultOf(decrypt(container, other.privateKey))).toBe("container_sealed_otherwise");
  });

  test("the recipient's public key does not open the container", async () => {
    expect(await faultOf(decrypt(container, recipient.publicKey))).toBe(
      "container_sealed_otherwise",
    );
  });
});

describe("a malformed container", () => {
  test("is refused when truncated at any length", async () => {
    for (let length = 0; length < container.length; length += 1) {
      expect(await open(container.subarray(0, length)), `${length} bytes`).toBe(
        length < PAYLOAD_AT ? "container_invalid" : "container_sealed_otherwise",
      );
    }
  });

  test("is refused with extra bytes at the end", async () => {
    expect(await open(concat(container, Uint8Array.of(0)))).toBe("container_sealed_otherwise");
  });

  test("is refused with another magic, including SMSG's", async () => {
    expect(await open(changed(0, 0x73))).toBe("container_invalid");
    const smsg = container.slice();
    smsg.set(utf8("SMSG"));
    expect(await open(smsg)).toBe("container_invalid");
  });

  test("is refused with a container version other than 2", async () => {
    expect(await open(changed(4, 1))).toBe("container_unsupported");
    expect(await open(changed(4, 3))).toBe("container_unsupported");
  });

  test("ST7 a header length over the limit is refused before the header is read", async () => {
    expect(await open(changed(5, 0xff))).toBe("container_too_large");
  });

  test("ST7 a container over the size limit is refused before it is read", async () => {
    expect(await open(new Uint8Array(CONTAINER_BYTES_MAX + 1))).toBe("container_too_large");
  });

  test("ST7 a form too large for a container is not sealed", async () => {
    const form = { fields: [{ name: "a", value: "b".repeat(CONTAINER_BYTES_MAX) }] };
    expect(await faultOf(encrypt(form, recipient.publicKey))).toBe("container_too_large");
  });

  test.for<[string, JsonObject, string]>([
    ["another algorithm", { ...header, algorithm: "x25519-aes256gcm" }, "container_unsupported"],
    ["no algorithm", { ephemeral_pk: "", version: "1.0" }, "container_unsupported"],
    ["a later header version", { ...header, version: "2.0" }, "container_unsupported"],
    ["a version that is a number", { ...header, version: 1 }, "container_unsupported"],
    ["no ephemeral key", { algorithm: header.algorithm, version: "1.0" }, "container_invalid"],
    [
      "an ephemeral key of 31 bytes",
      { ...header, ephemeral_pk: "A".repeat(42) + "==" },
      "container_invalid",
    ],
    [
      "an ephemeral key that is no base64",
      { ...header, ephemeral_pk: "?".repeat(44) },
      "container_invalid",
    ],
    ["an ephemeral key that is a list", { ...header, ephemeral_pk: [1] }, "container_invalid"],
    ["another ephemeral key", header, "container_sealed_otherwise"],
  ])("is refused for its header: %s", async ([, wrong, code]) => {
    expect(await open(withHeader(wrong))).toBe(code);
    if (code !== "container_sealed_otherwise") {
      expect(mustFail(decodeStmf(withHeader(wrong))).code, "before any key is used").toBe(code);
    }
  });

  test.for(["[]", "null", '"x"', "{", "", "\ufeff{}"])(
    "is refused with the header %j",
    async (text) => {
      const json = utf8(text);
      const length = Uint8Array.of(0, 0, 0, json.length);
      expect(await open(concat(utf8("STMF"), Uint8Array.of(2), length, json))).toBe(
        "container_invalid",
      );
    },
  );

  test("is distinguished from a container that opens but contains no form", async () => {
    expect(await open(sealedBytes(utf8('{"fields":7}')))).toBe("content_invalid");
    expect(await open(sealedBytes(new Uint8Array()))).toBe("content_invalid");
    expect(await decrypt(sealedBytes(utf8('{"fields":[]}')), recipient.privateKey)).toEqual({
      fields: [],
    });
  });
});

describe("hostile containers", () => {
  test("any change of the payload is detected", async () => {
    const changes = fc.tuple(
      fc.integer({ min: PAYLOAD_AT, max: container.length - 1 }),
      fc.integer({ min: 1, max: 255 }),
    );
    await fc.assert(
      fc.asyncProperty(changes, async ([at, mask]) => {
        const copy = container.slice();
        copy[at] = (container[at] ?? 0) ^ mask;
        expect(await outcome(copy)).toBe("container_sealed_otherwise");
      }),
      { numRuns: 100 },
    );
  });

  test("spliced, truncated or changed bytes give the same form or a fault of the union", async () => {
    const edit = fc.record({
      at: fc.nat({ max: container.length }),
      remove: fc.nat({ max: 8 }),
      insert: fc.uint8Array({ maxLength: 8 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), async (edits) => {
        let data: Uint8Array = container;
        for (const { at, remove, insert } of edits) {
          data = concat(data.subarray(0, at), insert, data.subarray(at + remove));
        }
        const result = await outcome(data);
        if (typeof result !== "string") expect(result).toEqual(FORM);
      }),
      { numRuns: 300 },
    );
  });

  test("any header with any payload gives a fault of the union", async () => {
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom(...Object.values(header)));
    const anyHeader = fc
      .record({ algorithm: value, ephemeral_pk: value, version: value }, { requiredKeys: [] })
      .map((other) => ({ ...header, ...other }) as JsonObject);
    await fc.assert(
      fc.asyncProperty(anyHeader, fc.uint8Array({ maxLength: 80 }), async (other, payload) => {
        const data = encodeContainer("STMF", { header: other, payload });
        expect(await outcome(data)).toMatch(/^container_/);
      }),
      { numRuns: 300 },
    );
  });

  test("any JSON sealed with the right key gives a form or content_invalid", async () => {
    const almostForm = fc.record(
      { fields: fc.jsonValue(), meta: fc.jsonValue() },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.jsonValue(), almostForm), async (json) => {
        const result = await outcome(sealedBytes(utf8(JSON.stringify(json))));
        if (typeof result === "string") expect(result).toBe("content_invalid");
        else expect(result).toHaveProperty("fields");
      }),
      { numRuns: 80 },
    );
  });
});

test("the public key of a private key can be derived for sealing", async () => {
  const { publicKey, privateKey } = keyPairFrom(new Uint8Array(32).fill(0x22));
  expect(await decrypt(await encrypt(FORM, publicKey), privateKey)).toEqual(FORM);
});
