import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat, fromBase64, fromUtf8, toHex, utf8 } from "../../src/base/bytes.ts";
import { sharedSecret, type KeyPair } from "../../src/crypto/identity.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { sealSigil } from "../../src/crypto/sigil.ts";
import { decodeStmf, encodeStmf } from "../../src/stmf/container.ts";
import { writeForm } from "../../src/stmf/form.ts";
import { decrypt, encrypt, inspect, RECIPIENTS_MAX, validate } from "../../src/stmf/index.ts";
import { payloadKey, STANZA_BYTES, wrapKey } from "../../src/stmf/recipients.ts";
import { must, present } from "../must.ts";
import { seededRandom } from "../random.ts";
import { faultOf } from "./faults.ts";

const FORM = { fields: [{ name: "a", value: "b", type: "text" }], meta: { k: "v" } };
const keyPairs = (count: number): KeyPair[] =>
  Array.from({ length: count }, (_, at) => newKeyPair(seededRandom(100 + at)));
const MANY = keyPairs(RECIPIENTS_MAX + 1);
const publicKeys = (pairs: readonly KeyPair[]) => pairs.map(({ publicKey }) => publicKey);
const sealedTo = (count: number, seed = 7) =>
  encrypt(FORM, publicKeys(MANY.slice(0, count)), seededRandom(seed));
const wrappedIn = (container: Uint8Array) => present(must(decodeStmf(container)).wrapped);

describe("an STMF container for several recipients", () => {
  test.for([2, 3, 5, RECIPIENTS_MAX])(
    "ST10 a container for several opens with each of its %i private keys, and with no other",
    async (count) => {
      const container = await sealedTo(count);
      for (const { privateKey } of MANY.slice(0, count)) {
        expect(await decrypt(container, privateKey)).toEqual(FORM);
      }
      const stranger = present(MANY[count]);
      expect(await faultOf(decrypt(container, stranger.privateKey))).toBe(
        "container_sealed_otherwise",
      );
    },
  );

  test("ST10 a container for several has its own algorithm name, and validate accepts it", async () => {
    const container = await sealedTo(3);
    expect(validate(container)).toBe(true);
    expect(inspect(container)).toMatchObject({
      algorithm: "muster-x25519-chacha20poly1305-multi",
      version: "1.0",
      recipientsMax: 4,
    });
  });

  test("ST10 a single recipient, even when repeated, gets a container in Borg's format", async () => {
    const [only] = MANY as [KeyPair];
    const plain = await encrypt(FORM, only.publicKey, seededRandom(7));
    expect(await encrypt(FORM, [only.publicKey], seededRandom(7))).toEqual(plain);
    expect(await encrypt(FORM, [only.publicKey, only.publicKey], seededRandom(7))).toEqual(plain);
    expect(inspect(plain)).toMatchObject({
      algorithm: "x25519-chacha20poly1305",
      recipientsMax: 1,
    });
  });

  test("ST10 a form is sealed to at least 1 and at most 64 keys", async () => {
    expect(await faultOf(encrypt(FORM, []))).toBe("recipients_invalid");
    expect(await faultOf(encrypt(FORM, publicKeys(MANY)))).toBe("recipients_invalid");
  });

  test("ST10 sealing is refused when any of the keys is unusable", async () => {
    for (const bad of [new Uint8Array(32), new Uint8Array(31), new Uint8Array(32).fill(0xff)]) {
      const keys = [...publicKeys(MANY.slice(0, 2)), bad];
      expect(await faultOf(encrypt(FORM, keys))).toBe("public_key_invalid");
    }
  });

  test("ST10 more than 64 stanzas, or stanzas of another size than 48 bytes, are refused before any key is used", () => {
    const { payload, ephemeralPublicKey } = must(decodeStmf(encodeStmf(stanzasOf(1))));
    const code = (count: number, bytes = STANZA_BYTES, macBytes = 32) => {
      const { wrapped } = stanzasOf(count, bytes, macBytes);
      const result = decodeStmf(encodeStmf({ payload, ephemeralPublicKey, wrapped }));
      return result.ok ? "ok" : result.error.code;
    };
    expect(code(RECIPIENTS_MAX)).toBe("ok");
    expect(code(0)).toBe("container_invalid");
    expect(code(RECIPIENTS_MAX + 1)).toBe("container_invalid");
    expect(code(2, STANZA_BYTES - 1)).toBe("container_invalid");
    expect(code(2, STANZA_BYTES, 31)).toBe("container_invalid");
  });

  function stanzasOf(count: number, bytes = STANZA_BYTES, macBytes = 32) {
    const stanzas = Array.from({ length: count }, (_, at) => new Uint8Array(bytes).fill(at));
    return {
      ephemeralPublicKey: new Uint8Array(32).fill(9),
      payload: new Uint8Array(40),
      wrapped: { stanzas, mac: new Uint8Array(macBytes) },
    };
  }
});

describe("the header for several recipients", () => {
  test.for([
    [2, 2],
    [3, 4],
    [4, 4],
    [5, 8],
    [33, 64],
    [64, 64],
  ] as const)(
    "ST11 the header for %i recipients has %i stanzas, so that it hides their number",
    async ([count, places]) => {
      expect(wrappedIn(await sealedTo(count)).stanzas).toHaveLength(places);
    },
  );

  test("ST11 the header contains no public key, no ID and no constant part", async () => {
    const [one, two] = [await sealedTo(3, 1), await sealedTo(3, 2)];
    for (const { publicKey, id } of MANY.slice(0, 3)) {
      const text = present(fromUtf8(one.subarray(9, one.indexOf(0x7d) + 1)));
      expect(text).not.toContain(toHex(publicKey));
      expect(text).not.toContain(id);
      expect(text).not.toContain(btoa(String.fromCharCode(...publicKey)));
    }
    const seen = new Set(wrappedIn(one).stanzas.map(toHex));
    expect(wrappedIn(two).stanzas.filter((stanza) => seen.has(toHex(stanza)))).toEqual([]);
  });

  test("ST11 stanzas are sorted by their bytes, so that the order does not identify recipients", async () => {
    const firstPlaces = new Set<number>();
    const ephemeral = newKeyPair(seededRandom(1));
    for (let seed = 0; seed < 40; seed++) {
      const { stanzas } = wrappedIn(await sealedTo(4, seed));
      expect(stanzas.map(toHex)).toEqual(stanzas.map(toHex).toSorted());
      const contentKey = seededRandom(seed)(32);
      const alone = must(
        wrapKey(contentKey, ephemeral, [present(MANY[0]).publicKey], seededRandom(1)),
      );
      const all = must(
        wrapKey(contentKey, ephemeral, publicKeys(MANY.slice(0, 4)), seededRandom(1)),
      );
      firstPlaces.add(
        all.stanzas.findIndex((each) => toHex(each) === toHex(present(alone.stanzas[0]))),
      );
    }
    expect(firstPlaces).toEqual(new Set([0, 1, 2, 3]));
  });
});

describe("recipients of one container", () => {
  const [alice, bob] = MANY as [KeyPair, KeyPair];

  test("ST12 a container with a changed header or payload opens for no recipient", async () => {
    const container = await sealedTo(3);
    const header = fromUtf8(container.subarray(9, container.indexOf(0x7d) + 1)) ?? "";
    const { stanzas, mac } = wrappedIn(container);
    const sealed = must(decodeStmf(container));
    const flipped = (bytes: Uint8Array) => bytes.with(5, (bytes[5] ?? 0) ^ 1);
    const changes = [
      { ...sealed, wrapped: { stanzas, mac: flipped(mac) } },
      ...stanzas.map((stanza, at) => ({
        ...sealed,
        wrapped: { mac, stanzas: stanzas.with(at, flipped(stanza)) },
      })),
      { ...sealed, wrapped: { mac, stanzas: stanzas.slice(1) } },
      { ...sealed, wrapped: { mac, stanzas: stanzas.toReversed() } },
      { ...sealed, payload: flipped(sealed.payload) },
      { ...sealed, ephemeralPublicKey: bob.publicKey },
    ];
    expect(header).toContain("multi");
    for (const change of changes) {
      for (const { privateKey } of MANY.slice(0, 3)) {
        expect(await faultOf(decrypt(encodeStmf(change), privateKey))).toBe(
          "container_sealed_otherwise",
        );
      }
    }
  });

  test("ST12 a container with two different content keys opens for no recipient", async () => {
    const ephemeral = newKeyPair(seededRandom(1));
    const [forAlice, forBob] = [seededRandom(2)(32), seededRandom(3)(32)];
    const a = must(wrapKey(forAlice, ephemeral, [alice.publicKey], seededRandom(4)));
    const b = must(wrapKey(forBob, ephemeral, [bob.publicKey], seededRandom(4)));
    const forged = (mac: Uint8Array) =>
      encodeStmf({
        ephemeralPublicKey: ephemeral.publicKey,
        wrapped: { stanzas: [...a.stanzas, ...b.stanzas], mac },
        payload: sealSigil(payloadKey(forAlice), must(writeForm(FORM)), seededRandom(5)),
      });
    for (const mac of [a.mac, b.mac]) {
      for (const { privateKey } of [alice, bob]) {
        expect(await faultOf(decrypt(forged(mac), privateKey))).toBe("container_sealed_otherwise");
      }
    }
  });

  test("ST12 a container can't be converted between Borg's format and the format for several", async () => {
    const ephemeral = newKeyPair(seededRandom(1));
    const secret = present(sharedSecret(ephemeral.privateKey, alice.publicKey));
    const payload = sealSigil(secret, utf8('{"fields":[]}'), seededRandom(2));
    const { wrapped } = must(decodeStmf(await sealedTo(2)));
    const mixed = encodeStmf({
      ephemeralPublicKey: ephemeral.publicKey,
      payload,
      ...(wrapped && { wrapped }),
    });
    expect(await faultOf(decrypt(mixed, alice.privateKey))).toBe("container_sealed_otherwise");
  });

  test("ST10 every recipient opens the same form, whatever it contains and however many there are", async () => {
    const count = fc.integer({ min: 1, max: 6 });
    await fc.assert(
      fc.asyncProperty(count, fc.nat(5), fc.string(), async (several, which, value) => {
        const form = { fields: [{ name: "x", value }] };
        const container = await encrypt(form, publicKeys(MANY.slice(0, several)));
        const { privateKey } = present(MANY[which % several]);
        expect(await decrypt(container, privateKey)).toEqual(form);
        expect(await decrypt(concat(container), privateKey)).toEqual(form);
      }),
      { numRuns: 30 },
    );
  });

  test("ST12 an ephemeral key of low order is refused", async () => {
    const sealed = must(decodeStmf(await sealedTo(2)));
    const forged = encodeStmf({ ...sealed, ephemeralPublicKey: new Uint8Array(32) });
    expect(await faultOf(decrypt(forged, alice.privateKey))).toBe("container_invalid");
  });
});

test("a stanza is the base64 of 48 bytes in the header's keys", async () => {
  const container = await sealedTo(2);
  const header = JSON.parse(present(fromUtf8(container.subarray(9, container.indexOf(0x7d) + 1))));
  expect(Object.keys(header)).toEqual(["algorithm", "ephemeral_pk", "keys", "mac", "version"]);
  expect(header.keys.map((key: string) => fromBase64(key)?.length)).toEqual([48, 48]);
});
