import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fromUtf8, utf8 } from "../../src/base/bytes.ts";
import {
  FIELDS_MAX,
  LABEL_CHARS_MAX,
  META_MAX,
  readForm,
  writeForm,
  type FormData,
} from "../../src/stmf/form.ts";
import { must, mustFail } from "../must.ts";
import { anyForm } from "./arbitraries.ts";

const read = (json: unknown) => readForm(utf8(JSON.stringify(json)));
const wrote = (form: FormData) => fromUtf8(must(writeForm(form)));

const nested = (depth: number) => `{"fields":[],"x":${"[".repeat(depth)}${"]".repeat(depth)}}`;
const manyFields = (count: number) =>
  Array.from({ length: count }, () => ({ name: "", value: "" }));
const manyMeta = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, ""]));
const label = (chars: number) => "n".repeat(chars);

describe("a form's plaintext", () => {
  test("parses to the form that was written, whatever it contains", () => {
    fc.assert(
      fc.property(anyForm, (form) => {
        expect(must(readForm(must(writeForm(form))))).toEqual(form);
      }),
      { numRuns: 500 },
    );
  });

  test("has Borg's keys in Borg's order, whatever order the caller used", () => {
    const file = { mime: "image/png", filename: "a.png", type: "file", value: "AA==", name: "f" };
    expect(wrote({ meta: { origin: "here" }, fields: [file] })).toBe(
      '{"fields":[{"name":"f","value":"AA==","type":"file","filename":"a.png","mime":"image/png"}],' +
        '"meta":{"origin":"here"}}',
    );
  });

  test("omits empty values, as Go's omitempty does", () => {
    const field = { name: "a", value: "", type: "", filename: "", mime: "" };
    expect(wrote({ fields: [field], meta: {} })).toBe('{"fields":[{"name":"a","value":""}]}');
  });

  test("accepts null, which Go writes for a nil slice, as empty", () => {
    expect(must(read({ fields: null }))).toEqual({ fields: [] });
    expect(
      must(read({ fields: [{ name: "a", value: "b", type: null, mime: null }], meta: null })),
    ).toEqual({ fields: [{ name: "a", value: "b" }] });
  });

  test("may contain keys of later versions, which are ignored", () => {
    const json = { fields: [{ name: "a", value: "b", hint: [1] }], later: { deep: true } };
    expect(must(read(json))).toEqual({ fields: [{ name: "a", value: "b" }] });
  });

  test("keeps repeated names and their order", () => {
    const fields = ["x", "y", "x"].map((name, at) => ({ name, value: String(at) }));
    expect(must(read({ fields })).fields).toEqual(fields);
  });

  test("keeps keys of meta that are names of inherited object properties", () => {
    const meta = { constructor: "a", toString: "b", hasOwnProperty: "c" };
    expect(must(readForm(must(writeForm({ fields: [], meta }))))).toEqual({ fields: [], meta });
  });
});

describe("invalid forms", () => {
  test.for([
    ["no object", []],
    ["no fields", {}],
    ["fields that are an object", { fields: {} }],
    ["a field that is null", { fields: [null] }],
    ["a field without a name", { fields: [{ value: "a" }] }],
    ["a field without a value", { fields: [{ name: "a" }] }],
    ["a value that is a number", { fields: [{ name: "a", value: 1 }] }],
    ["a type that is a number", { fields: [{ name: "a", value: "b", type: 1 }] }],
    ["meta that is a list", { fields: [], meta: ["a"] }],
    ["meta with a number", { fields: [], meta: { a: 1 } }],
  ])("are refused when writing and when reading: %s", ([, json]) => {
    expect(mustFail(read(json)).code).toBe("content_invalid");
    expect(mustFail(writeForm(json as FormData)).code).toBe("form_invalid");
  });

  test("are refused when the bytes are not UTF-8 or not JSON", () => {
    const whole = utf8('{"fields":[]}');
    must(readForm(whole));
    expect(mustFail(readForm(whole.subarray(1))).code).toBe("content_invalid");
    expect(mustFail(readForm(Uint8Array.of(0x22, 0xff, 0x22))).code).toBe("content_invalid");
    expect(mustFail(readForm(new Uint8Array())).code).toBe("content_invalid");
  });

  test("ST7 a form that nests too deep is refused", () => {
    must(readForm(utf8(nested(10))));
    expect(mustFail(readForm(utf8(nested(100_000)))).code).toBe("content_invalid");
  });

  test("are refused when a key of meta is __proto__", () => {
    const text = '{"fields":[],"meta":{"__proto__":"a"}}';
    expect(mustFail(readForm(utf8(text))).code).toBe("content_invalid");
    expect(mustFail(writeForm(JSON.parse(text) as FormData)).code).toBe("form_invalid");
  });
});

describe("a form's limits", () => {
  test("ST7 the limit of JSON values allows the largest form, and more values are refused before parsing", () => {
    const field = { name: "n", value: "v", type: "t", filename: "f", mime: "m" };
    const largest = {
      fields: manyFields(FIELDS_MAX).map(() => field),
      meta: manyMeta(META_MAX),
    };
    expect(must(readForm(must(writeForm(largest))))).toEqual(largest);
    const wide = (count: number) => read({ fields: [], later: Array.from({ length: count }) });
    expect(must(wide(99_000))).toEqual({ fields: [] });
    expect(mustFail(wide(100_000)).code).toBe("content_invalid");
  });

  test.for<[string, FormData, FormData]>([
    ["fields", { fields: manyFields(FIELDS_MAX) }, { fields: manyFields(FIELDS_MAX + 1) }],
    [
      "meta",
      { fields: [], meta: manyMeta(META_MAX) },
      { fields: [], meta: manyMeta(META_MAX + 1) },
    ],
    [
      "a name's characters",
      { fields: [{ name: label(LABEL_CHARS_MAX), value: "" }] },
      { fields: [{ name: label(LABEL_CHARS_MAX + 1), value: "" }] },
    ],
    [
      "a meta key's characters",
      { fields: [], meta: { [label(LABEL_CHARS_MAX)]: "" } },
      { fields: [], meta: { [label(LABEL_CHARS_MAX + 1)]: "" } },
    ],
  ])("ST7 the limit is accepted and one more is refused: %s", ([, allowed, over]) => {
    must(writeForm(allowed));
    must(read(allowed));
    expect(mustFail(writeForm(over)).code).toBe("form_invalid");
    expect(mustFail(read(over)).code).toBe("content_invalid");
  });

  test("allow a value as long as the container allows", () => {
    const form = { fields: [{ name: "file", value: "A".repeat(1 << 20) }] };
    expect(must(readForm(must(writeForm(form))))).toEqual(form);
  });
});
