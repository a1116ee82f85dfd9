import * as fc from "fast-check";
import { expect, test } from "vitest";
import { editDistance, similarTo } from "../../src/base/edit-distance.ts";

test.for([
  ["", "", 0],
  ["", "abc", 3],
  ["kitten", "sitting", 3],
  ["resize", "rescale", 3],
  ["flaw", "lawn", 2],
] as const)("%s and %s differ by %i", ([a, b, distance]) => {
  expect(editDistance(a, b)).toBe(distance);
});

test("it is a metric: zero for equals only, symmetric, and no longer by a detour", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 6 });
  fc.assert(
    fc.property(word, word, word, (a, b, c) => {
      expect(editDistance(a, b) === 0).toBe(a === b);
      expect(editDistance(a, b)).toBe(editDistance(b, a));
      expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c));
    }),
  );
});

test("similar texts are those of which at most half differs, the nearest first", () => {
  expect(similarTo("resize", ["echo", "rescale", "resizes"])).toEqual(["resizes", "rescale"]);
});
