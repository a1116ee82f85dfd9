import { deepStrictEqual } from "node:assert";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jsonOfValue } from "../../../src/base/json-text/value-json.ts";
import { must } from "../../must.ts";

const DEPTH_MAX = 30;

class Line extends Array<number> {}
class Celsius extends Number {}
const match = /(?<year>\d+)/.exec("in 2026");
const withSymbol = { a: 1, [Symbol("s")]: 2 };
const hidden = Object.defineProperty({ a: 1 }, Symbol("s"), { value: 2, enumerable: false });
const inherited: unknown = Object.create(Object.assign(Object.create(null) as object, { a: 1 }));
const chain = (): unknown => ({ toJSON: chain });
const nested = (levels: number, wrap: (inner: unknown) => unknown): unknown =>
  Array.from({ length: levels }).reduce(wrap, 1);
function argumentsOf(): unknown {
  // eslint-disable-next-line prefer-rest-params -- a handler can return them
  return arguments;
}

/** What a value becomes; null: it is refused. */
const RULE: readonly (readonly [what: string, value: unknown, json: string | null])[] = [
  ["nothing", undefined, "null"],
  ["null", null, "null"],
  ["a member that is undefined", { a: undefined, b: 1 }, '{"b":1}'],
  ["undefined in an array", [1, undefined], null],
  ["a hole of an array", Array(2), null],
  ["undefined in an array in a member", { a: { b: [undefined] } }, null],
  ["a toJSON that returns undefined", { a: { toJSON: () => undefined } }, null],
  ["negative zero", [-0, { a: -0 }], '[-0,{"a":-0}]'],
  ["NaN", { a: Number.NaN }, null],
  ["negative infinity", [Number.NEGATIVE_INFINITY], null],
  ["a double", [1e21, 5e-324, 0.1, 2 ** 53], "[1e+21,5e-324,0.1,9007199254740992]"],
  ["a BigInt", 1n, null],
  ["a function", { a: () => 1 }, null],
  ["a symbol", Symbol("s"), null],
  ["a member with a symbol as its key", withSymbol, null],
  ["one that is not enumerable", hidden, '{"a":1}'],
  ["a symbol as the key of an array's member", Object.assign([1], { [Symbol("s")]: 2 }), null],
  ["an array with a further member", Object.assign([1], { unit: "m" }), null],
  ["a match of a regular expression", match, null],
  ["a match as a plain array", [...(match ?? [])], '["2026","2026"]'],
  ["an instance of a class that extends Array", Line.of(1, 2), null],
  [
    "an instance of a class",
    new (class Point {
      readonly x = 1;
    })(),
    null,
  ],
  ["an object that inherits members", inherited, null],
  ["arguments", argumentsOf(), null],
  ["a getter", Object.defineProperty({}, "a", { get: () => 1, enumerable: true }), '{"a":1}'],
  ["a Date", { at: new Date(0) }, '{"at":"1970-01-01T00:00:00.000Z"}'],
  ["a Date that is invalid", [new Date(Number.NaN)], null],
  ["a URL", new URL("https://a.example/b"), '"https://a.example/b"'],
  ["boxed primitives", [Object(1), Object("a"), Object(false)], '[1,"a",false]'],
  ["a class that extends Number", new Celsius(20.5), "20.5"],
  ["an object that only says that it is a Number", { [Symbol.toStringTag]: "Number" }, null],
  ["a boxed NaN", Object(Number.NaN), null],
  ["the same object twice", ((a) => [a, a])({ n: 1 }), '[{"n":1},{"n":1}]'],
  ["a cycle", ((a: unknown[]) => (a.push([a]), a))([]), null],
  ["a cycle through toJSON", ((a: object) => Object.assign(a, { toJSON: () => [a] }))({}), null],
  ["a toJSON without end", chain(), null],
  ["half a surrogate pair", { a: "x\udd1e" }, null],
  ["half a surrogate pair in a key", { "\ud834": 1 }, null],
  ["a whole surrogate pair", "\ud834\udd1e", '"\ud834\udd1e"'],
  ["a member named __proto__", JSON.parse('{"__proto__":{"a":1}}'), '{"__proto__":{"a":1}}'],
  ["30 levels", nested(30, (inner) => [inner]), "[".repeat(30) + 1 + "]".repeat(30)],
  ["31 levels", nested(31, (a) => ({ a })), null],
  [
    "30 levels, each by a toJSON",
    nested(30, (inner) => ({ toJSON: () => [inner] })),
    "[".repeat(30) + 1 + "]".repeat(30),
  ],
  ["a Map", new Map([["a", 1]]), null],
  ["bytes", new Uint8Array(2), null],
  ["an error", new Error("x"), null],
];

describe("a payload or a result", () => {
  test.each(RULE)("AS136 with %s", (_what, value, json) => {
    const written = jsonOfValue(value, "result", DEPTH_MAX);
    expect(written.ok ? written.value : null).toBe(json);
    if (!written.ok) expect(written.error.path).toMatch(/^result/);
  });

  test("AS136 reads back equal to what was given, without its undefined members, or is refused", () => {
    const anything = fc.anything({
      withBigInt: true,
      withBoxedValues: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
      withObjectString: true,
      withSparseArray: true,
      withTypedArray: true,
      withUnicodeString: true,
    });
    const kinds = { written: 0, refused: 0 };
    fc.assert(
      fc.property(
        fc.oneof(anything, fc.object({ withNullPrototype: true }), optional()),
        (value) => {
          const written = jsonOfValue(value, "result", DEPTH_MAX);
          expect(written.ok).toBe(isCarried(value));
          kinds[written.ok ? "written" : "refused"]++;
          if (written.ok) deepStrictEqual(JSON.parse(written.value), readBack(value));
        },
      ),
      { numRuns: 1_000 },
    );
    expect(Math.min(kinds.written, kinds.refused)).toBeGreaterThan(50);
  });

  test("AS136 whose writing is refused changes nothing of the value", () => {
    const value = { a: { b: [1, Number.NaN] } };
    jsonOfValue(value, "result", DEPTH_MAX);
    expect(must(jsonOfValue({ ...value.a, b: [1] }, "result", DEPTH_MAX))).toBe('{"b":[1]}');
    expect(value).toEqual({ a: { b: [1, Number.NaN] } });
  });
});

/** Objects as programs make them: some members are undefined. */
function optional(): fc.Arbitrary<unknown> {
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom<unknown>(undefined, null, -0, "a", 1.5, true, new Date(0)),
      fc.array(
        tie("value").filter((item) => item !== undefined),
        { maxLength: 3 },
      ),
      fc.dictionary(fc.string({ maxLength: 3 }), tie("value"), { maxKeys: 3 }),
    ),
  }));
  return value;
}

const isBoxed = (value: object): boolean =>
  !(value instanceof Date) &&
  typeof value.valueOf === "function" &&
  typeof value.valueOf() !== "object";
const isObject = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
};

/** The rule once more, for the values that the test makes. */
function isCarried(value: unknown, isWhole = true): boolean {
  if (value === undefined) return isWhole;
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object") return typeof value === "boolean";
  if (value === null) return true;
  if (isBoxed(value)) return isCarried(value.valueOf());
  if (value instanceof Date) return !Number.isNaN(value.getTime());
  if (typeof (value as { toJSON?: unknown }).toJSON === "function") return false;
  if (Object.getOwnPropertySymbols(value).length > 0) return false;
  if (Array.isArray(value))
    return (
      Object.keys(value).length === value.length &&
      Array.from(value).every((item) => isCarried(item, false))
    );
  return (
    isObject(value) &&
    Object.entries(value).every(
      ([key, member]) => member === undefined || (key.isWellFormed() && isCarried(member, false)),
    )
  );
}

function readBack(value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value !== "object" || value === null) return value;
  if (isBoxed(value)) return value.valueOf();
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(readBack);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([key, member]) => [key, readBack(member)]));
}
