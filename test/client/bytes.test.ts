import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytes, OptionsError } from "../../src/client/index.ts";
import { payloadJson } from "../../src/client/tasks/exact-value.ts";
import { runToOutcome } from "../../src/client/work/attempt-outcome.ts";

describe("bytes", () => {
  test("SK11 come back as they were, through JSON, for data of every length", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1_000 }), (data) => {
        const { text } = payloadJson({ file: bytes.encode(data) });
        const { file } = JSON.parse(text) as { readonly file: unknown };
        expect(bytes.decode(file)).toEqual(data);
        expect(file).toBe(Buffer.from(data).toString("base64"));
      }),
    );
  });

  test("SK11 of a part of a buffer are that part", () => {
    const whole = Uint8Array.of(1, 2, 3, 4);
    expect(bytes.decode(bytes.encode(whole.subarray(1, 3)))).toEqual(Uint8Array.of(2, 3));
    expect(bytes.decode(bytes.encode(whole.buffer))).toEqual(whole);
    expect(bytes.decode(bytes.encode(Buffer.from("abc")))).toEqual(Uint8Array.of(97, 98, 99));
  });

  test("SK11 of 18 MiB fit the largest result, and 19 MiB do not", async () => {
    const result = (mebibytes: number) =>
      runToOutcome(() => bytes.encode(new Uint8Array(mebibytes * 1_024 * 1_024)), {
        sealTo: null,
        large: true,
      });
    expect(await result(18)).toHaveProperty("large");
    expect(await result(19)).toMatchObject({ ok: false, retry: false });
  });

  test.each([
    1,
    null,
    undefined,
    {},
    [1],
    "abc",
    "=",
    "AB==",
    "a-_b",
    "YQ",
    " YQ==",
    new Uint8Array(1),
  ])("SK11 decode refuses %o", (value) => {
    expect(() => bytes.decode(value)).toThrow(OptionsError);
  });

  test.each(["abc", [1, 2], null, new Uint16Array(1), {}])("SK11 encode refuses %o", (data) => {
    expect(() => bytes.encode(data as Uint8Array)).toThrow(OptionsError);
  });
});
