import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { utf8 } from "../../src/base/bytes.ts";
import { parseJson, type Json } from "../../src/base/json.ts";
import {
  TASK_PAYLOAD_BYTES_MAX,
  WEBHOOK_COMPARED_BYTES_MAX,
} from "../../src/protocol/constants.ts";
import type { WebhookScheme } from "../../src/protocol/http.ts";
import { parsePath, type JsonPath } from "../../src/webhooks/json-path.ts";
import { EventReader } from "../../src/webhooks/selection/event-reader.ts";
import type { Selected, SelectedValues } from "../../src/webhooks/selection/json-selector.ts";
import { pathTree, USES } from "../../src/webhooks/selection/path-tree.ts";
import { must } from "../must.ts";

const pathOf = (text: string): JsonPath => must(parsePath(text));

/** What is selected of a body that comes in parts of these lengths, in turn; null if the body contains no event. */
function select(
  body: Uint8Array,
  paths: readonly JsonPath[],
  lengths: readonly number[] = [],
  scheme: WebhookScheme = "github",
): SelectedValues | null {
  const reader = new EventReader(scheme, pathTree({ mapped: paths, compared: paths }));
  for (let at = 0, i = 0; at < body.length; i++) {
    const length = lengths.length === 0 ? body.length : (lengths[i % lengths.length] ?? 1);
    reader.write(body.subarray(at, at + length));
    at += length;
  }
  const read = reader.finish();
  return read.ok ? read.value : null;
}

const parsed = (selected: Selected): Json | undefined =>
  selected ? (JSON.parse(selected.text) as Json) : undefined;

/** The value at a path, by the model: the parsed event. */
const valueAt = (event: Json, { segments }: JsonPath): Json | undefined =>
  segments.reduce<Json | undefined>((value, segment) => {
    if (Array.isArray(value)) return typeof segment === "number" ? value.at(segment) : undefined;
    if (typeof value !== "object" || value === null || typeof segment === "number")
      return undefined;
    return Object.hasOwn(value, segment) ? value[segment] : undefined;
  }, event);

const Name = fc.constantFrom("a", "b", "é", "日", "🔐", "__proto__", "", 'q"\\');
const Path = fc
  .array(fc.oneof(Name, fc.integer({ min: -3, max: 3 })), { maxLength: 4 })
  .map((segments) =>
    pathOf(
      `$${segments.map((one) => (typeof one === "number" ? `[${one}]` : `[${JSON.stringify(one)}]`)).join("")}`,
    ),
  );
const Event: fc.Arbitrary<Json> = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, depthSize: "large" },
    fc.oneof(fc.constantFrom<Json[]>(null, true, -1.5e300), fc.string({ unit: "grapheme" })),
    fc.array(tie("json"), { maxLength: 4 }),
    fc
      .array(fc.tuple(Name, tie("json")), { maxLength: 4 })
      .map((entries) => Object.fromEntries(entries) as Json),
  ),
})).json;
const Lengths = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });

describe("what is selected of an event", () => {
  test("WH46 is what its paths select of the parsed event, however the body is divided", () => {
    let found = 0;
    fc.assert(
      fc.property(
        Event,
        fc.array(Path, { maxLength: 5 }),
        Lengths,
        fc.boolean(),
        (event, paths, lengths, pretty) => {
          const body = utf8(JSON.stringify(event, null, pretty ? 2 : 0));
          const values = select(body, paths, lengths);
          for (const path of paths)
            for (const use of USES) {
              const value = parsed(values?.find(path, use));
              expect(value).toEqual(valueAt(event, path));
              if (value !== undefined) found++;
            }
        },
      ),
      { numRuns: 2_000 },
    );
    expect(found).toBeGreaterThan(1_000);
  });

  test("WH46 is the text that was signed, not a number or a string that was read and written again", () => {
    const texts = [
      "9007199254740993",
      "1.10",
      "-0",
      "1E400",
      '"\\u00e9\\/"',
      '{ "b" : [ 1 ,2 ] }',
      "[1e2]",
    ];
    for (const text of texts)
      for (const length of [1, 3, 100]) {
        const values = select(utf8(`{"a":${text},"z":0}`), [pathOf("$.a")], [length]);
        expect(values?.find(pathOf("$.a"), "mapped")).toEqual({ text });
      }
  });

  test("WH46 is the last of several members with one name, with all that is in it", () => {
    const body = utf8('{"a":{"b":1,"c":2},"a":{"b":3},"\\u0061":{"d":[4]},"z":{}}');
    const paths = ["$.a.b", "$.a.c", "$.a.d[0]", "$.a"].map(pathOf);
    const values = select(body, paths, [2]);
    expect(paths.map((path) => parsed(values?.find(path, "mapped")))).toEqual([
      undefined,
      undefined,
      4,
      { d: [4] },
    ]);
  });

  test("WH47 has a limit for each value and in all, whatever the event contains", () => {
    const long = "x".repeat(TASK_PAYLOAD_BYTES_MAX - 2);
    const paths = ["$.a", "$.b", "$.c[-2]", "$.c[-5000].x"].map(pathOf);
    const [a, b, c] = paths as [JsonPath, JsonPath, JsonPath];
    const elements = Array.from({ length: 50 }, (_, i) => `"${i}${"y".repeat(200_000)}"`);
    const many = Array.from({ length: 30_000 }, (_, i) => `{"x":${i}}`);
    const event = `{"a":"${long}","b":"${long}x","c":[${elements.join()},${many.join()},1,2]}`;
    const values = select(utf8(event), paths, [65_536]);
    expect(values?.find(a, "mapped")).toEqual({ text: `"${long}"` });
    expect(values?.find(a, "compared")).toBeNull();
    expect(values?.find(b, "mapped")).toBeNull();
    expect(values?.find(c, "mapped")).toEqual({ text: "1" });
    const short = "x".repeat(WEBHOOK_COMPARED_BYTES_MAX - 2);
    expect(select(utf8(`"${short}"`), [pathOf("$")])?.find(pathOf("$"), "compared")).toEqual({
      text: `"${short}"`,
    });
  });

  test("WH47 that is more than is kept is reported as too large, not as missing", () => {
    const paths = [pathOf("$[-18000].x"), pathOf("$[0].y")];
    const event = `[${Array.from({ length: 30_000 }, (_, i) => `{"x":${i}}`).join()}]`;
    const values = select(utf8(event), paths);
    expect(values?.find(pathOf("$[-18000].x"), "mapped")).toBeNull();
    expect(values?.find(pathOf("$[0].y"), "mapped")).toBeUndefined();
  });
});

describe("a form", () => {
  const Field = fc.tuple(
    fc.oneof(fc.constantFrom("payload", "text", "__proto__"), fc.string({ unit: "grapheme" })),
    fc.oneof(fc.constantFrom('{"a":[1]}', "{}", "[]"), fc.string({ unit: "grapheme" })),
  );
  /** The model: what the form is by `URLSearchParams`. */
  function eventOf(form: string): Json {
    const fields = [...new URLSearchParams(form)];
    const [[name, value] = ["", ""]] = fields;
    const wrapped = fields.length === 1 && name === "payload" ? parseJson(value) : undefined;
    const isObject = typeof wrapped === "object" && wrapped !== null && !Array.isArray(wrapped);
    return isObject ? wrapped : Object.fromEntries(fields);
  }

  test("WH9 is read like URLSearchParams, however it is divided", () => {
    const Text = fc
      .array(
        fc.constantFrom("a", "=", "&", "+", "%", "%2", "%41", "%C3", "%A9", "%zz", "%EF%BB%BF"),
      )
      .map((parts) => `a=${parts.join("")}`);
    const Form = fc.oneof(
      fc
        .array(Field, { minLength: 1, maxLength: 4 })
        .map((fields) => new URLSearchParams(fields).toString()),
      Text,
    );
    fc.assert(
      fc.property(Form, Lengths, (form, lengths) => {
        fc.pre(form.includes("="));
        const root = pathOf("$");
        const event = parsed(select(utf8(form), [root], lengths)?.find(root, "mapped"));
        expect(event).toEqual(eventOf(form));
      }),
      { numRuns: 2_000 },
    );
  });

  test("WH9 of one payload keeps the text of its JSON", () => {
    const form = new URLSearchParams({ payload: '{"n":9007199254740993}' }).toString();
    const path = pathOf("$.n");
    expect(select(utf8(form), [path], [1])?.find(path, "mapped")).toEqual({
      text: "9007199254740993",
    });
  });

  test("WH9 is none if its bytes are not UTF-8, or are cut inside a character", () => {
    for (const bytes of [[0xff], [0x22, 0xc3, 0x22], [0x22, 0xe6, 0x97]])
      expect(select(Uint8Array.from(bytes), [pathOf("$")], [1])).toBeNull();
  });
});
