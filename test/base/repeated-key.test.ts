import * as fc from "fast-check";
import { expect, test } from "vitest";
import { repeatedKey } from "../../src/base/repeated-key.ts";

test.each([
  ['{"a":1,"a":2}', ["a"]],
  ['{"a":{"b":1},"c":{"b":2}}', null],
  ['[{"a":1},{"a":1,"b":[],"a":1}]', [1, "a"]],
  [String.raw`{"a":1,"\u0061":2}`, ["a"]],
  [String.raw`{"\\":1,"\"":2,"\\":3}`, ["\\"]],
  ['{"a":"{\\"b\\":1,\\"b\\":2}"}', null],
  ['{"":1,"":2}', [""]],
  ['{"__proto__":1,"__proto__":2}', ["__proto__"]],
  ['{"a":[["x","x"],{"x":"x"}],"x":["a"]}', null],
  ['"a"', null],
  ["{}", null],
])("HT32 the repeated key of %s is at %j", (text, path) => {
  expect(repeatedKey(text)).toEqual(path);
});

test("HT32 no JSON that is made from a value repeats a key", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => repeatedKey(JSON.stringify(value)) === null));
});

/** Any JSON as text, with an object in it that has one key twice. */
const repeating = fc
  .tuple(
    fc.jsonValue({ maxDepth: 2 }),
    fc.jsonValue({ maxDepth: 2 }),
    fc.string(),
    fc.array(fc.oneof(fc.string(), fc.nat(2)), { maxLength: 4 }),
  )
  .map(([first, last, key, path]) => {
    const name = JSON.stringify(key);
    let text = `{${name}:${JSON.stringify(first)},"other\\u0000":[{}], ${name} :${JSON.stringify(last)}}`;
    for (const step of path.toReversed())
      text =
        typeof step === "number"
          ? `[${"0,".repeat(step)}${text},{}]`
          : `{${JSON.stringify(`${step}\u0001`)}:1,${JSON.stringify(step)}: ${text}}`;
    return { text, path: [...path, key] };
  });

test("HT32 a repeated key is found at any depth", () => {
  fc.assert(
    fc.property(repeating, ({ text, path }) => {
      JSON.parse(text);
      expect(repeatedKey(text)).toEqual(path);
    }),
  );
});
