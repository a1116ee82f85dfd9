import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat, fromUtf8, toBase64, toHex, utf8 } from "../../src/base/bytes.ts";
import { isJsonObject, parseJson, type JsonObject } from "../../src/base/json.ts";
import { sha256 } from "../../src/crypto/primitives.ts";
import { frameCipher, openFrame, sealFrame } from "../../src/crypto/session-cipher.ts";
import { openSigil, sealSigil } from "../../src/crypto/sigil.ts";
import { openSmsg, sealSmsg, smsgKey } from "../../src/crypto/smsg.ts";
import { decodeContainer, encodeContainer } from "../../src/crypto/trix.ts";
import type { Envelope } from "../../src/protocol/envelope.ts";
import { must, mustFail, present } from "../must.ts";
import { seededRandom } from "../random.ts";

const NOW = 1_767_323_045_678;
const key = smsgKey("a password");
const HEADER = { algorithm: "chacha20poly1305", version: "1.0" };

/** An SMSG container with this header and plaintext, sealed with the correct key. */
const smsg = (header: JsonObject, plaintext: Uint8Array) =>
  encodeContainer("SMSG", { header, payload: sealSigil(key, plaintext, seededRandom(1)) });
const message = (value: unknown) => utf8(JSON.stringify(value));

describe("an SMSG container", () => {
  test("opens to the sealed body, whatever it contains", () => {
    const body = fc.oneof(fc.string({ unit: "binary" }), fc.json());
    fc.assert(
      fc.property(body, fc.integer(), (text, seed) => {
        expect(must(openSmsg(key, sealSmsg(key, text, NOW, seededRandom(seed))))).toBe(text);
      }),
      { numRuns: 100 },
    );
  });

  test("has SHA-256(password) as its key", () => {
    expect(toHex(smsgKey("a password"))).toBe(toHex(sha256(utf8("a password"))));
  });

  test("has Borg's header and a plaintext of body and Unix timestamp", () => {
    const { header, payload } = must(
      decodeContainer("SMSG", sealSmsg(key, "hello", NOW, seededRandom(1))),
    );
    expect(JSON.stringify(header)).toBe('{"algorithm":"chacha20poly1305","version":"1.0"}');
    expect(fromUtf8(present(openSigil(key, payload)))).toBe(
      '{"body":"hello","timestamp":1767323045}',
    );
  });

  test("opens when it contains Borg's optional fields: subject, sender, meta, a hint", () => {
    const plaintext = message({ subject: "s", body: "hello", from: "f", timestamp: 1, meta: {} });
    expect(must(openSmsg(key, smsg({ ...HEADER, hint: "the usual" }, plaintext)))).toBe("hello");
  });

  test("does not open with another password", () => {
    const sealed = sealSmsg(key, "hello", NOW, seededRandom(1));
    expect(mustFail(openSmsg(smsgKey("another"), sealed)).code).toBe("container_sealed_otherwise");
  });

  test.for<[string, JsonObject]>([
    ["a format", { ...HEADER, format: "v2" }],
    ["an empty format", { ...HEADER, format: "" }],
    ["a compression", { ...HEADER, compression: "zstd" }],
    ["a compression that is null", { ...HEADER, compression: null }],
    ["both", { ...HEADER, format: "v2", compression: "gzip" }],
    ["another algorithm", { ...HEADER, algorithm: "aes256gcm" }],
    ["no algorithm", { version: "1.0" }],
    ["another version", { ...HEADER, version: "2.0" }],
    ["no version", { algorithm: HEADER.algorithm }],
  ])("is refused for its header: %s", ([, header]) => {
    const plaintext = message({ body: "hello", timestamp: 1 });
    expect(must(openSmsg(key, smsg(HEADER, plaintext)))).toBe("hello");
    expect(mustFail(openSmsg(key, smsg(header, plaintext))).code).toBe("container_unsupported");
  });

  test.for([
    ["no body", message({ timestamp: 1 })],
    ["a body that is an object", message({ body: {} })],
    ["a message that is a list", message(["body"])],
    ["no JSON", utf8("body")],
    ["bytes that are not UTF-8", Uint8Array.of(0xff)],
    ["nothing", new Uint8Array()],
  ] as const)("is refused when its plaintext is %s", ([, plaintext]) => {
    expect(mustFail(openSmsg(key, smsg(HEADER, plaintext))).code).toBe("container_invalid");
  });

  test("is refused when it is an STMF container", () => {
    const stmf = concat(utf8("STMF"), smsg(HEADER, message({ body: "hello" })).subarray(4));
    expect(mustFail(openSmsg(key, stmf)).code).toBe("container_invalid");
  });

  test("opens to the same body or a fault of the union after any change to its bytes", () => {
    const sealed = sealSmsg(key, "hello", NOW, seededRandom(1));
    const changes = fc.array(
      fc.tuple(fc.nat(sealed.length - 1), fc.integer({ min: 1, max: 255 })),
      {
        minLength: 1,
        maxLength: 3,
      },
    );
    fc.assert(
      fc.property(changes, fc.nat(sealed.length), (edits, length) => {
        const copy = sealed.slice();
        for (const [at, mask] of edits) copy[at] = (copy[at] ?? 0) ^ mask;
        const opened = openSmsg(key, copy.subarray(0, length));
        if (opened.ok) expect(opened.value).toBe("hello");
        else expect(opened.error.code).toMatch(/^container_/);
      }),
      { numRuns: 500 },
    );
  });
});

describe("a go-p2p frame", () => {
  const secret = seededRandom(5)(32);
  const envelope: Envelope = {
    id: "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
    type: "ping",
    from: "a".repeat(32),
    to: "b".repeat(32),
    ts: "2026-01-02T03:04:05.123456789+01:00",
    payload: { sentAt: 1 },
  };

  test("is an SMSG with base64(shared secret) as its password, as in go-p2p", () => {
    expect(toHex(frameCipher(secret, 1).key)).toBe(toHex(sha256(utf8(toBase64(secret)))));
    const frame = sealFrame(frameCipher(secret, 1), envelope, NOW, seededRandom(6));
    const body = parseJson(must(openSmsg(smsgKey(toBase64(secret)), frame)));
    expect(isJsonObject(body)).toBe(true);
    expect(body).toEqual(envelope);
  });

  test("opens to the sealed message", () => {
    const frame = sealFrame(frameCipher(secret, 1), envelope, NOW, seededRandom(6));
    expect(must(openFrame(frameCipher(secret, 1), frame))).toEqual(envelope);
  });

  test("is undecryptable with a wrong key, and bad_message when it contains no envelope", () => {
    const frame = sealFrame(frameCipher(secret, 1), envelope, NOW, seededRandom(6));
    expect(mustFail(openFrame(frameCipher(seededRandom(7)(32), 1), frame)).code).toBe(
      "undecryptable",
    );
    expect(mustFail(openFrame(frameCipher(secret, 1), utf8("{}"))).code).toBe("undecryptable");
    for (const body of ["", "{}", "null", '{"type":"ping"}']) {
      const empty = sealSmsg(frameCipher(secret, 1).key, body, NOW, seededRandom(6));
      expect(mustFail(openFrame(frameCipher(secret, 1), empty)).code).toBe("bad_message");
    }
  });
});
