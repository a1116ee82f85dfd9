import { describe, expect, test } from "vitest";
import { fromBase64, toBase64, utf8 } from "../../src/base/bytes.ts";
import { encodeContainer } from "../../src/crypto/trix.ts";
import {
  CONTAINER_BYTES_MAX,
  decrypt,
  encrypt,
  encryptBase64,
  fileContent,
  fileField,
  generateKeyPair,
  inspect,
  PAYLOAD_FIELD,
  publicKeyOf,
  StmfError,
  validate,
} from "../../src/stmf/index.ts";
import { present } from "../must.ts";
import { seededRandom } from "../random.ts";
import { faultOf } from "./faults.ts";

const { privateKey, publicKey } = generateKeyPair(seededRandom(1));
const FORM = { fields: [{ name: "a", value: "b", type: "text" }] };
const container = await encrypt(FORM, publicKey, seededRandom(2));
const base64 = toBase64(container);

/** The code that a call is refused with. */
function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof StmfError) return error.code;
    throw error;
  }
  throw new Error("unexpectedly returned");
}

describe("base64 in the public API", () => {
  test("ST5 base64 is accepted wherever the bytes of a container or key are", async () => {
    expect(await encryptBase64(FORM, publicKey, seededRandom(2))).toBe(base64);
    expect(await encrypt(FORM, toBase64(publicKey), seededRandom(2))).toEqual(container);
    expect(await encrypt(FORM, [toBase64(publicKey)], seededRandom(2))).toEqual(container);
    expect(await decrypt(base64, toBase64(privateKey))).toEqual(FORM);
    expect(validate(base64)).toBe(true);
    expect(inspect(base64)).toEqual(inspect(container));
    expect(publicKeyOf(toBase64(privateKey))).toEqual(publicKey);
  });

  test.for<[string, string]>([
    ["spaces in it", ` ${base64}`],
    ["the URL's alphabet", base64.replaceAll(/[+/]/g, "-")],
    ["a missing end", base64.slice(0, -1)],
    ["bits that stand for nothing", "U1R="],
  ])("ST5 base64 is refused with %s", async ([, text]) => {
    expect(await faultOf(decrypt(text, privateKey))).toBe("container_invalid");
    expect(validate(text)).toBe(false);
    expect(codeOf(() => inspect(text))).toBe("container_invalid");
  });

  test("ST5 invalid base64 of a key is refused like a key of the wrong length", async () => {
    for (const key of ["", "?", toBase64(publicKey.subarray(1))]) {
      expect(await faultOf(encrypt(FORM, key))).toBe("public_key_invalid");
      expect(await faultOf(decrypt(container, key))).toBe("private_key_invalid");
      expect(codeOf(() => publicKeyOf(key))).toBe("private_key_invalid");
    }
  });

  test("ST7 base64 longer than that of the largest container is refused before decoding", () => {
    // No base64 at all: if it were decoded first, it would be container_invalid.
    const text = "?".repeat(4 * Math.ceil(CONTAINER_BYTES_MAX / 3) + 1);
    expect(codeOf(() => inspect(text))).toBe("container_too_large");
  });
});

describe("without a key", () => {
  test("ST6 validate accepts well-formed containers and refuses others", () => {
    expect(validate(container)).toBe(true);
    expect(validate(container.with(0, 0))).toBe(false);
    expect(validate(new Uint8Array())).toBe(false);
    const other = encodeContainer("STMF", {
      header: { algorithm: "rot13", ephemeral_pk: toBase64(publicKey), version: "1.0" },
      payload: new Uint8Array(40),
    });
    expect(validate(other)).toBe(false);
  });

  test("ST6 inspect returns the header's fields and the payload's size", () => {
    expect(inspect(container)).toEqual({
      algorithm: "x25519-chacha20poly1305",
      version: "1.0",
      ephemeralPublicKey: generateKeyPair(seededRandom(2)).publicKey,
      recipientsMax: 1,
      payloadBytes: container.length - 9 - 117,
    });
  });

  test("ST6 inspect returns what is readable of an unsupported container", () => {
    const header = { algorithm: "of tomorrow", ephemeral_pk: 7, version: ["9"], keys: ["a", "b"] };
    expect(inspect(encodeContainer("STMF", { header, payload: utf8("four") }))).toEqual({
      algorithm: "of tomorrow",
      version: null,
      ephemeralPublicKey: null,
      recipientsMax: 2,
      payloadBytes: 4,
    });
    expect(codeOf(() => inspect(utf8("SMSG")))).toBe("container_invalid");
  });
});

describe("a file of", () => {
  test.for([0, 1, 25 * 1_024 * 1_024])(
    "ST4 %i bytes is returned unchanged after sealing and opening",
    async (length) => {
      const content = new Uint8Array(length).map((_, at) => at * 7);
      const form = { fields: [fileField("f", content, "f.bin", "application/x-test")] };
      const sealed = await encrypt(form, publicKey);
      const [field] = (await decrypt(sealed, privateKey)).fields;
      expect(field).toMatchObject({ type: "file", filename: "f.bin", mime: "application/x-test" });
      const back = present(fileContent(present(field)));
      expect(Buffer.compare(back, content)).toBe(0);
    },
  );
});

test("ST5 generateKeyPair returns different keys of 32 bytes each time", () => {
  const [one, two] = [generateKeyPair(), generateKeyPair()];
  expect([one.privateKey.length, one.publicKey.length]).toEqual([32, 32]);
  expect(one.privateKey).not.toEqual(two.privateKey);
  expect(publicKeyOf(one.privateKey)).toEqual(one.publicKey);
  expect(fromBase64(toBase64(one.publicKey))).toEqual(one.publicKey);
});

test("PAYLOAD_FIELD is the field name that Borg uses", () => {
  expect(PAYLOAD_FIELD).toBe("_stmf_payload");
});
