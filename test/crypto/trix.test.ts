import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat, utf8 } from "../../src/base/bytes.ts";
import type { JsonObject } from "../../src/base/json.ts";
import { decodeContainer, encodeContainer, HEADER_BYTES_MAX } from "../../src/crypto/trix.ts";
import { must, mustFail } from "../must.ts";

const raw = (header: string, payload: Uint8Array = new Uint8Array()) => {
  const json = utf8(header);
  const fixed = Uint8Array.of(0x54, 0x45, 0x53, 0x54, 2, 0, 0, json.length >> 8, json.length & 255);
  return concat(fixed, json, payload);
};

/** A header of exactly this many bytes. */
const headerOf = (length: number) => `{"a":"${"x".repeat(length - 8)}"}`;

describe("Borg's container format", () => {
  test("is magic, version 2, the header's length in big-endian, header, payload", () => {
    const data = encodeContainer("TEST", { header: { a: "é" }, payload: Uint8Array.of(7, 8) });
    expect(data).toEqual(raw('{"a":"é"}', Uint8Array.of(7, 8)));
  });

  test("decodes to the header and payload that were encoded", () => {
    const header = fc
      .dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }))
      .map((entries) => JSON.parse(JSON.stringify(entries)) as JsonObject);
    fc.assert(
      fc.property(header, fc.uint8Array(), (written, payload) => {
        const data = encodeContainer("TEST", { header: written, payload });
        expect(must(decodeContainer("TEST", data))).toEqual({ header: written, payload });
      }),
    );
  });

  test("may have an empty payload", () => {
    expect(must(decodeContainer("TEST", raw("{}"))).payload).toHaveLength(0);
  });

  test.for([
    ["another magic", encodeContainer("TESU", { header: {}, payload: new Uint8Array() })],
    ["a magic that is not text", concat(Uint8Array.of(0xff), raw("{}").subarray(1))],
    ["eight bytes", raw("{}").subarray(0, 8)],
    ["nothing", new Uint8Array()],
    ["a header cut short", raw('{"a":1}').subarray(0, 12)],
    ["a header that ends where the data does, short of its length", raw("{}").with(8, 3)],
    ["a header that is a list", raw("[]")],
    ["a header that is no JSON", raw("{a}")],
    ["a header that is not UTF-8", raw("{}").with(9, 0xff)],
    ["a header that nests too deep", raw(`{"a":${"[".repeat(8)}${"]".repeat(8)}}`)],
  ] as const)("is refused: %s", ([, data]) => {
    expect(mustFail(decodeContainer("TEST", data)).code).toBe("container_invalid");
  });

  test("is refused with another version", () => {
    expect(mustFail(decodeContainer("TEST", raw("{}").with(4, 1))).code).toBe(
      "container_unsupported",
    );
  });

  test("may have a header of exactly the limit, and not one byte more", () => {
    expect(must(decodeContainer("TEST", raw(headerOf(HEADER_BYTES_MAX)))).header).toHaveProperty(
      "a",
    );
    expect(mustFail(decodeContainer("TEST", raw(headerOf(HEADER_BYTES_MAX + 1)))).code).toBe(
      "container_too_large",
    );
  });

  test("is refused when it claims a header of 4 GiB, before anything of that size is read", () => {
    const claim = raw("{}").with(5, 255).with(6, 255).with(7, 255).with(8, 255);
    expect(mustFail(decodeContainer("TEST", claim)).code).toBe("container_too_large");
  });
});
