import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  concat,
  equalConstantTime,
  fromBase64,
  fromHex,
  fromUtf8,
  toBase64,
  toHex,
  utf8,
} from "../../src/base/bytes.ts";

const bytes = fc.uint8Array({ maxLength: 300 });
const view = (data: Uint8Array) => Buffer.from(data.buffer, data.byteOffset, data.length);

describe("hex", () => {
  test("encodes like Node's Buffer and decodes to the same bytes", () => {
    fc.assert(
      fc.property(bytes, (data) => {
        expect(toHex(data)).toBe(view(data).toString("hex"));
        expect(fromHex(toHex(data))).toEqual(data);
        expect(fromHex(toHex(data).toUpperCase())).toEqual(data);
      }),
    );
  });

  test.for(["0", "0g", "zz", "0x00", " 00", "00\n", "é0", "٣٣"])(
    "is refused when it is %j",
    (text) => {
      expect(fromHex(text)).toBeNull();
    },
  );
});

describe("base64", () => {
  test("encodes like Node's Buffer and decodes to the same bytes", () => {
    fc.assert(
      fc.property(bytes, (data) => {
        expect(toBase64(data)).toBe(view(data).toString("base64"));
        expect(fromBase64(toBase64(data))).toEqual(data);
      }),
    );
  });

  test("encodes more bytes than an engine allows arguments in one call", () => {
    const data = Uint8Array.from({ length: 300_001 }, (_, at) => at % 251);
    expect(toBase64(data)).toBe(view(data).toString("base64"));
    expect(fromBase64(toBase64(data))).toEqual(data);
  });

  test("has one encoding for each value: any text that decodes is encoded to the same text", () => {
    const text = fc.string({
      unit: fc.constantFrom(...Array.from("ABgw/+09=-_ \n")),
      maxLength: 8,
    });
    fc.assert(
      fc.property(text, (encoded) => {
        const data = fromBase64(encoded);
        if (data !== null) expect(toBase64(data)).toBe(encoded);
        else expect(Buffer.from(encoded, "base64").toString("base64")).not.toBe(encoded);
      }),
      { numRuns: 5_000 },
    );
  });

  test.for([
    "A",
    "AA",
    "AAA",
    "AB==",
    "AAB=",
    "A===",
    "====",
    "=",
    "AA=A",
    "AA==AAAA",
    "AA-_",
    "AA A",
    "AAAA\n",
  ])("is refused when it is %j", (text) => {
    expect(fromBase64(text)).toBeNull();
  });
});

describe("UTF-8", () => {
  test("decodes any well-formed text that was encoded", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(fromUtf8(utf8(text))).toBe(text);
      }),
    );
  });

  test.for([
    ["a lone continuation byte", [0x80]],
    ["a cut sequence", [0xe2, 0x82]],
    ["an overlong form", [0xc0, 0xaf]],
    ["a surrogate", [0xed, 0xa0, 0x80]],
    ["a byte that no text has", [0x61, 0xff]],
  ] as const)("decoding refuses malformed bytes instead of replacing them: %s", ([, data]) => {
    expect(fromUtf8(Uint8Array.from(data))).toBeNull();
  });

  test("decoding keeps a byte order mark, so that different bytes never decode to the same text", () => {
    expect(fromUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe("\ufeffa");
  });
});

describe("concat and equalConstantTime", () => {
  test("concat copies the parts in order into new bytes", () => {
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 5 }), (parts) => {
        const whole = concat(...parts);
        expect(whole).toEqual(Uint8Array.from(parts.flatMap((part) => [...part])));
        expect(parts.every((part) => part.buffer !== whole.buffer)).toBe(true);
      }),
    );
  });

  test("equalConstantTime is true for equal bytes", () => {
    fc.assert(
      fc.property(bytes, (data) => {
        expect(equalConstantTime(data, data.slice())).toBe(true);
      }),
    );
  });

  test("equalConstantTime is false when one bit or the length differs", () => {
    const changed = fc
      .uint8Array({ minLength: 1, maxLength: 64 })
      .chain((data) => fc.record({ data: fc.constant(data), bit: fc.nat(data.length * 8 - 1) }));
    fc.assert(
      fc.property(changed, ({ data, bit }) => {
        const copy = data.slice();
        copy[bit >> 3] = (data[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(equalConstantTime(data, copy)).toBe(false);
        expect(equalConstantTime(data, data.subarray(1))).toBe(false);
        expect(equalConstantTime(data.subarray(1), data)).toBe(false);
      }),
    );
  });
});
