import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isJsonObject, JSON_DEPTH_MAX, parseJson, type Json } from "../../src/base/json.ts";

const depthOf = (value: unknown): number =>
  typeof value === "object" && value !== null
    ? 1 + Math.max(0, ...Object.values(value).map(depthOf))
    : 0;

/** A simple reference implementation: JSON.parse, then measuring the depth. */
function expected(text: string, maxDepth: number): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return depthOf(value) > maxDepth ? undefined : value;
  } catch {
    return undefined; // not JSON
  }
}

const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

describe("parseJson", () => {
  test("returns what JSON.parse returns, up to the allowed depth", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.nat({ max: 7 }), (text, maxDepth) => {
        expect(parseJson(text, maxDepth)).toEqual(expected(text, maxDepth));
      }),
      { numRuns: 1_000 },
    );
  });

  test("accepts any mix of brackets, quotes and escapes exactly if JSON.parse and the depth limit do", () => {
    const text = fc.string({
      unit: fc.constantFrom(...Array.from('[]{}"\\:,1a\n')),
      maxLength: 24,
    });
    const wrapped = text.map((inner) => `["${inner}`);
    fc.assert(
      fc.property(fc.oneof(text, wrapped), (candidate) => {
        expect(parseJson(candidate, 3)).toEqual(expected(candidate, 3));
      }),
      { numRuns: 5_000 },
    );
  });

  test("does not count brackets inside strings and keys as nesting", () => {
    const value = { "[[[[": '{{{{"\\', x: "\\\\[[[[" };
    expect(parseJson(JSON.stringify(value), 1)).toEqual(value);
  });

  test("accepts JSON at the depth limit and refuses one level more", () => {
    expect(parseJson(nested(JSON_DEPTH_MAX))).toBeDefined();
    expect(parseJson(nested(JSON_DEPTH_MAX + 1))).toBeUndefined();
  });

  test("never passes JSON that is too deep to JSON.parse", () => {
    for (const open of ["[", '{"a":', '[{"a":']) {
      expect(parseJson(open.repeat(1_000_000))).toBeUndefined();
    }
  });

  test("counts values before parsing, and refuses more than allowed", () => {
    const count = (value: unknown): number =>
      typeof value === "object" && value !== null
        ? 1 + Object.values(value).reduce((sum: number, each) => sum + count(each), 0)
        : 1;
    fc.assert(
      fc.property(fc.array(fc.jsonValue({ maxDepth: 4 })), (value) => {
        const text = JSON.stringify(value);
        // An empty list or object counts as if it had one value: the count is never too low.
        const empty = [...text.replaceAll(/"(?:[^"\\]|\\.)*"/g, "s").matchAll(/\[\]|\{\}/g)].length;
        const values = count(value) + empty;
        expect(parseJson(text, 32, values)).toEqual(JSON.parse(text));
        expect(parseJson(text, 32, values - 1)).toBeUndefined();
      }),
      { numRuns: 500 },
    );
    expect(parseJson(`[${"{},".repeat(1_000_000)}{}]`, 32, 1_000)).toBeUndefined();
  });

  test("scans a string of many escaped quotes in linear time", () => {
    const text = `["${'\\\\\\"'.repeat(200_000)}"]`;
    expect(parseJson(text)).toEqual(JSON.parse(text));
  });

  test("returns null for the JSON null and undefined for invalid JSON", () => {
    expect(parseJson("null")).toBeNull();
    expect(parseJson("nul")).toBeUndefined();
    expect(parseJson("")).toBeUndefined();
  });

  test("never changes an object's prototype", () => {
    const value = parseJson('{"__proto__":{"polluted":true}}');
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect({}).not.toHaveProperty("polluted");
  });
});

test("isJsonObject is true for objects only, not for arrays or null", () => {
  const others: (Json | undefined)[] = [null, true, 1, "{}", [], [{}], undefined];
  expect(others.filter(isJsonObject)).toEqual([]);
  expect(isJsonObject({})).toBe(true);
});
