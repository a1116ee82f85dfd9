import { runInNewContext } from "node:vm";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jsonFlaw } from "../../../src/base/json-text/flaw.ts";
import { JsonText } from "../../../src/base/json-text/json-text.ts";
import { EACH, ExactMembers, readJson, readMember } from "../../../src/base/json-text/read-json.ts";
import { jsonOfValue } from "../../../src/base/json-text/value-json.ts";
import { writeJson } from "../../../src/base/json-text/write-json.ts";
import { must } from "../../must.ts";
import { jsonText } from "./texts.ts";

const LIMITS = { maxDepth: 64 };

describe("readJson", () => {
  test("keeps the text of the members that it is told, in any order of writing, and parses the rest", () => {
    const name = fc.constantFrom("kind", "a b", "__proto__", "tasks", "other");
    fc.assert(
      fc.property(
        fc.array(jsonText({ unique: true, unescapedNames: true }), { minLength: 1, maxLength: 4 }),
        fc.uniqueArray(fc.tuple(name, jsonText({ unique: true, unescapedNames: true })), {
          selector: ([key]) => key,
        }),
        (texts, others) => {
          const list = texts.map((text) => `{ "payload" :${text},"n":1}`).join(" ,");
          const more = others.map(([key, text]) => `${JSON.stringify(key)}:${text},`).join("");
          const body = `{${more} "list":[${list}]}`;
          const read = must(readJson(body, new ExactMembers(["list", EACH, "payload"]), LIMITS));
          const expected = JSON.parse(body) as { list: { payload: unknown }[] };
          texts.forEach((text, i) => {
            (expected.list[i] as { payload: unknown }).payload = new JsonText(text.trim());
          });
          expect(read).toEqual(expected);
          expect(writeJson(read)).toContain(texts[0]?.trim());
        },
      ),
      { numRuns: 500 },
    );
  });

  test("tells members apart by their decoded names, and is not misled by the same name elsewhere", () => {
    const members = new ExactMembers(["payload"], ["task", "result"]);
    const read = (text: string) => writeJson(must(readJson(text, members, LIMITS)));
    expect(read('{"p\\u0061yload":1.0,"x":{"payload":2.0},"task":{"result":3.0,"y":4.0}}')).toBe(
      '{"payload":1.0,"x":{"payload":2},"task":{"result":3.0,"y":4}}',
    );
    expect(read('[{"payload":1.0}]')).toBe('[{"payload":1}]');
    expect(read("1.0")).toBe("1");
    expect(read('{"payload":1.0,"payload":[2.0]}')).toBe('{"payload":[2.0]}');
  });

  test("returns the fault of a text that is not JSON, and readMember null for a member that is not there", () => {
    const members = new ExactMembers(["payload"]);
    expect(readJson('{"payload":01}', members, LIMITS)).toMatchObject({ ok: false });
    expect(readJson("[".repeat(65), members, LIMITS)).toMatchObject({
      error: { code: "too_deep" },
    });
    expect(readMember('{"a":1}', ["payload"], LIMITS)).toBeNull();
    expect(readMember('{"payload":-0.0 }', ["payload"], LIMITS)).toBe("-0.0");
  });
});

describe("writeJson", () => {
  test("writes what JSON.stringify writes, with and without an indent", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), fc.nat({ max: 4 }), (value, inner, indent) => {
        const holding = (held: unknown) => ({ value, none: undefined, list: [held, { held }] });
        const expected = JSON.stringify(holding(1), null, indent);
        expect(writeJson(holding(new JsonText("1")), indent)).toBe(expected);
        expect(writeJson(inner, indent)).toBe(JSON.stringify(inner, null, indent));
      }),
    );
  });

  test("a JsonText that JSON.stringify is given is an error, and not other text", () => {
    expect(() => JSON.stringify({ a: new JsonText("1.0") })).toThrow("as it is");
  });
});

describe("jsonFlaw", () => {
  test.each([
    ['{"a":[1,1e400]}', "payload.a[1]", "1e400"],
    ["-1E+999", "payload", "-1E+999"],
    ["9".repeat(310), "payload", "999…"],
    ['{"a":{"b":1,"\\u0062":2}}', "payload.a.b", "twice"],
    ['{"__proto__":1,"__proto__":1}', "payload.__proto__", "twice"],
    ['["\\ud834"]', "payload[0]", "surrogate"],
    ['{"x":"\\udd1e\\ud834"}', "payload.x", "surrogate"],
    ['{"\\ud834":1}', 'payload["\\ud834"]', "surrogate"],
    ["[1,]", "payload", "at character 3"],
    ["", "payload", "incomplete"],
    [`${"[".repeat(31)}${"]".repeat(31)}`, "payload", "deeper than 30"],
  ])("finds in %s what a reader would change: %s, %s", (text, path, message) => {
    const flaw = jsonFlaw(text, "payload", 30);
    expect(flaw?.path).toBe(path);
    expect(flaw?.message.replace(/9{5,}/, "999")).toContain(message);
  });

  test.each([
    "9007199254740993",
    "0.1234567890123456789012345",
    "1e308",
    "1e-400",
    "-0",
    "-0.0",
    '{"a":{"a":[{"a":1},{"a":2}]},"b":1}',
    '"\\u0000\\ud834\\udd1e\\/"',
    '{"constructor":1,"__proto__":{"toString":null}}',
    "9".repeat(300),
    '"1e400 and \\\\ud834"',
  ])("finds nothing in %s", (text) => {
    expect(jsonFlaw(text, "payload", 30)).toBeNull();
  });

  test("finds nothing in any text with different names", () => {
    fc.assert(
      fc.property(jsonText({ unique: true }), (text) => {
        const flaw = jsonFlaw(text, "payload", 30);
        if (flaw !== null) expect(flaw.message).toMatch(/surrogate|double/);
        else expect(JSON.stringify(JSON.parse(text))).not.toMatch(/\\ud[89a-f]/);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("jsonOfValue", () => {
  test("SK10 reads each member once, so that it writes what it has checked", () => {
    const reads = { a: 0 };
    const value = {
      get a() {
        return reads.a++ === 0 ? 1 : Number.NaN;
      },
    };
    expect(must(jsonOfValue(value, "result", 30))).toBe('{"a":1}');
  });

  test("SK10 refuses what throws when it is read, at its place", () => {
    const throwing = (): never => {
      throw new Error("no disk");
    };
    const cases = [
      [Object.defineProperty({}, "b", { get: throwing, enumerable: true }), ".b"],
      [{ toJSON: throwing }, ""],
      [new Proxy({}, { ownKeys: throwing }), ""],
      [new Proxy({}, { getPrototypeOf: throwing }), ""],
    ] as const;
    for (const [value, path] of cases) {
      const written = jsonOfValue({ a: [1, value] }, "result", 30);
      if (written.ok) throw new Error(`written as ${written.value}`);
      expect(written.error.path).toBe(`result.a[1]${path}`);
      expect(written.error.message).toContain("no disk");
    }
  });

  test("SK10 takes plain objects of every kind: without a prototype, of another realm, with a toJSON", () => {
    const bare = Object.assign(Object.create(null) as object, { a: 1 });
    const foreign: unknown = runInNewContext("({ a: [1, new Date(0)] })");
    class Money {
      readonly #cents = 5n;
      toJSON(): string {
        return `${this.#cents}`;
      }
    }
    expect(must(jsonOfValue(bare, "result", 30))).toBe('{"a":1}');
    expect(must(jsonOfValue(foreign, "result", 30))).toBe('{"a":[1,"1970-01-01T00:00:00.000Z"]}');
    expect(must(jsonOfValue({ m: new Money() }, "result", 30))).toBe('{"m":"5"}');
    expect(must(jsonOfValue(new URL("http://a.example"), "result", 30))).toBe(
      '"http://a.example/"',
    );
  });

  test("writes what JSON.stringify writes of every value that JSON holds; -0 and a JsonText as they are", () => {
    const value = fc.jsonValue().filter((json) => JSON.stringify(json).isWellFormed());
    fc.assert(
      fc.property(value, (json) => {
        const plain = JSON.parse(JSON.stringify(json)) as unknown;
        const written = jsonOfValue(plain, "payload", 30);
        if (written.ok) expect(written.value).toBe(JSON.stringify(plain));
        else expect(written.error.message).toContain("surrogate");
      }),
    );
    const exact = {
      zero: -0,
      big: new JsonText("9007199254740993"),
      at: new Date(0),
      no: undefined,
    };
    expect(must(jsonOfValue(exact, "payload", 30))).toBe(
      '{"zero":-0,"big":9007199254740993,"at":"1970-01-01T00:00:00.000Z"}',
    );
    expect(must(jsonOfValue(new JsonText(' {"a" : 1.0} '), "payload", 30))).toBe(' {"a" : 1.0} ');
    expect(must(jsonOfValue(undefined, "result", 30))).toBe("null");
    expect(must(jsonOfValue({ toJSON: () => [1] }, "result", 30))).toBe("[1]");
    expect(must(jsonOfValue(Object.fromEntries([["__proto__", -0]]), "result", 30))).toBe(
      '{"__proto__":-0}',
    );
  });

  class Point {
    readonly x = 1;
  }
  const cyclic: { self?: unknown } = {};
  cyclic.self = [cyclic];
  const deep = Array.from({ length: 31 }).reduce<unknown>((inner) => [inner], 1);
  test.each([
    [{ a: [1, Number.NaN] }, "result.a[1]", "NaN"],
    [{ a: Number.POSITIVE_INFINITY }, "result.a", "Infinity"],
    [[undefined], "result[0]", "undefined"],
    // eslint-disable-next-line no-sparse-arrays -- a handler can return one
    [[1, , 2], "result[1]", "undefined"],
    [{ f: () => 1 }, "result.f", "function"],
    [() => 1, "result", "function"],
    [Symbol("s"), "result", "symbol"],
    [{ n: 1n }, "result.n", "JsonText"],
    [new Map(), "result", "Map"],
    [{ s: new Set([1]) }, "result.s", "Set"],
    [{ p: Promise.resolve(1) }, "result.p", "await"],
    [new Uint8Array(3), "result", "binary data (Uint8Array); send base64, as by bytes.encode"],
    [{ b: [Buffer.from("abc")] }, "result.b[0]", "binary"],
    [{ b: new ArrayBuffer(2) }, "result.b", "binary data (ArrayBuffer)"],
    [new DataView(new ArrayBuffer(2)), "result", "binary"],
    [{ b: new Blob(["a"]) }, "result.b", "Blob"],
    [{ h: new Headers() }, "result.h", "Headers"],
    [{ q: new URLSearchParams("a=1") }, "result.q", "URLSearchParams"],
    [{ f: Object.assign(new FormData(), { toJSON: () => ({}) }) }, "result.f", "FormData"],
    [{ h: Object.assign(new Headers(), { toJSON: () => ({}) }) }, "result.h", "Headers"],
    [{ p: [new Point()] }, "result.p[0]", "instance of Point"],
    [Object.create({ inherited: 1 }), "result", "instance of Object"],
    [[1, 2].values(), "result", "Iterator"],
    [{ m: new Map([[1, 2]]).entries() }, "result.m", "Map Iterator"],
    [{ w: new WeakMap() }, "result.w", "WeakMap"],
    [{ r: /a/ }, "result.r", "RegExp"],
    [{ n: Object(1n) as unknown }, "result.n", "BigInt"],
    [{ a: { toJSON: () => undefined } }, "result.a", "undefined"],
    [{ a: { toJSON: () => new Map() } }, "result.a", "Map"],
    [{ e: new Error("x") }, "result.e", "Error"],
    [new Date(Number.NaN), "result", "date"],
    [cyclic, "result.self[0]", "itself"],
    [deep, `result${"[0]".repeat(30)}`, "deeper"],
    ["\ud834", "result", "surrogate"],
    [{ "\ud834": 1 }, 'result["\\ud834"]', "surrogate"],
    [new JsonText("{"), "result", "incomplete"],
    [{ a: new JsonText("1,2") }, "result", "key in double quotes"],
    [new JsonText('{"a":1,"a":2}'), "result.a", "twice"],
    [{ a: new JsonText("1e400") }, "result.a", "double"],
  ])("SK10 refuses %o at %s", (value, path, message) => {
    const written = jsonOfValue(value, "result", 30);
    if (written.ok) throw new Error(`written as ${written.value}`);
    expect(written.error.path).toBe(path);
    expect(written.error.message).toContain(message);
  });
});
