import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toBase64, toHex } from "../../src/base/bytes.ts";
import {
  keyBytes,
  Name,
  newOpaqueId,
  newUuid,
  OpaqueId,
  PeerId,
  PublicKeyBase64,
  PublicKeyHex,
  Slug,
  Uuid,
} from "../../src/protocol/ids.ts";
import { seededRandom } from "../random.ts";

const takes = (schema: { safeParse(value: unknown): { success: boolean } }, value: unknown) =>
  schema.safeParse(value).success;

describe("a display name", () => {
  test.for(["", "a", "7", "atlas-1", "Node 7_b", "a".repeat(64), "a - b"])("may be %j", (name) => {
    expect(takes(Name, name)).toBe(true);
  });

  test.for([
    " ",
    "-a",
    "a-",
    "_a",
    " a",
    "a ",
    "a".repeat(65),
    "a\n",
    "\na",
    "é",
    "a/b",
    "a.b",
    null,
  ])("may not be %j", (name) => {
    expect(takes(Name, name)).toBe(false);
  });
});

describe("a slug (name in a URL)", () => {
  test.for(["a", "github", "my-source-2", "a".repeat(64)])("may be %j", (slug) => {
    expect(takes(Slug, slug)).toBe(true);
  });

  test.for(["", "-a", "a-", "A", "a_b", "a/b", "..", "a".repeat(65), "a\n"])(
    "may not be %j",
    (slug) => {
      expect(takes(Slug, slug)).toBe(false);
    },
  );
});

describe("IDs and keys in hex", () => {
  test.for([
    ["a peer ID", PeerId, 32],
    ["an opaque ID", OpaqueId, 32],
    ["a public key", PublicKeyHex, 64],
  ] as const)("have one canonical form: %s", ([, schema, length]) => {
    expect(takes(schema, "0a".repeat(length / 2))).toBe(true);
    expect(takes(schema, "0A".repeat(length / 2))).toBe(false);
    expect(takes(schema, "0a".repeat(length / 2 - 1))).toBe(false);
    expect(takes(schema, "0a".repeat(length / 2 + 1))).toBe(false);
    expect(takes(schema, "0g".repeat(length / 2))).toBe(false);
    expect(takes(schema, `${"0a".repeat(length / 2)}\n`)).toBe(false);
  });
});

describe("keys", () => {
  const key = seededRandom(1)(32);

  test("are the base64 of exactly 32 bytes in go-p2p messages", () => {
    expect(takes(PublicKeyBase64, toBase64(key))).toBe(true);
    expect(takes(PublicKeyBase64, toBase64(key.subarray(1)))).toBe(false);
    expect(takes(PublicKeyBase64, toBase64(key).replace("=", ""))).toBe(false);
    expect(takes(PublicKeyBase64, toHex(key))).toBe(false);
  });

  test("are accepted in configuration as hex or base64 of 32 bytes only", () => {
    expect(keyBytes(toHex(key))).toEqual(key);
    expect(keyBytes(toHex(key).toUpperCase())).toEqual(key);
    expect(keyBytes(toBase64(key))).toEqual(key);
    for (const text of [
      "",
      "secret",
      toHex(key.subarray(1)),
      `${toHex(key)}00`,
      ` ${toHex(key)}`,
    ]) {
      expect(keyBytes(text)).toBeNull();
    }
  });
});

describe("new IDs", () => {
  test("newUuid returns a version 4 UUID for any random bytes", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const uuid = newUuid(seededRandom(seed));
        expect(uuid).toMatch(
          /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
        );
        expect(takes(Uuid, uuid)).toBe(true);
      }),
    );
  });

  test("newUuid keeps all random bits except the six that RFC 9562 fixes", () => {
    expect(newUuid((length) => new Uint8Array(length).fill(0xff))).toBe(
      "ffffffff-ffff-4fff-bfff-ffffffffffff",
    );
    expect(newUuid((length) => new Uint8Array(length))).toBe(
      "00000000-0000-4000-8000-000000000000",
    );
  });

  test("newOpaqueId returns 16 random bytes in hex", () => {
    expect(newOpaqueId(seededRandom(1))).toBe(toHex(seededRandom(1)(16)));
    expect(takes(OpaqueId, newOpaqueId(seededRandom(2)))).toBe(true);
  });
});
