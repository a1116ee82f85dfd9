import { inspect } from "node:util";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { z } from "zod";
import { JsonText } from "../../../src/base/json-text/json-text.ts";
import { readShape } from "../../../src/base/shape/read-shape.ts";
import type { Shape, StringShape, Typed } from "../../../src/base/shape/shape.ts";
import { firstIssue } from "../../../src/protocol/envelope.ts";
import { MODULES, SCHEMAS } from "./shapes-module.ts";

/** Values around the limits of every type. */
const HOSTILE: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, undefined, true, "", " ", "a", "*", {}, [], [null]),
  fc.constantFrom<unknown>("0".repeat(64), "0".repeat(32), 0, -1, 1, 1.5, 256, 257),
  fc.constantFrom<unknown>(2 ** 53, -(2 ** 53), Number.NaN, Number.POSITIVE_INFINITY),
  fc.constantFrom<unknown>("2026-01-01T00:00:00Z", "2026-02-30T00:00:00Z"),
  fc.string(),
  fc.integer(),
  fc.double(),
  fc.jsonValue({ maxDepth: 2 }),
  fc.constant(new JsonText("[1]")),
);

/** A value that matches the shape, or one in which chance has put others: one of `rarity` parts is wrong. */
const valueOf = (shape: Shape, rarity: number): fc.Arbitrary<unknown> =>
  rarity === 0
    ? rightOf(shape, rarity)
    : fc.oneof(
        { weight: 1, arbitrary: HOSTILE },
        { weight: rarity, arbitrary: rightOf(shape, rarity) },
      );

function rightOf(shape: Shape, rarity: number): fc.Arbitrary<unknown> {
  switch (shape.is) {
    case "unknown":
      return fc.jsonValue({ maxDepth: 2 });
    case "null":
      return fc.constant(null);
    case "boolean":
      return fc.boolean();
    case "string":
      return rarity === 0 ? textOf(shape) : fc.oneof(textOf(shape), longTextOf(shape, 1));
    case "number": {
      const limits = (shape.limits ?? []).map(([, limit]) => limit);
      const near = [0, 1, ...limits]
        .flatMap((limit) => [limit, limit + 1, limit - 1, limit + 0.5])
        .filter((number) => rarity > 0 || readShape(shape, number).ok);
      return fc.constantFrom(...near);
    }
    case "one":
      return fc.constantFrom(...shape.of);
    case "list":
      return fc.array(valueOf(shape.of, rarity), { maxLength: 3 });
    case "record":
      return fc.dictionary(fc.string({ maxLength: 3 }), valueOf(shape.of, rarity), { maxKeys: 3 });
    case "object":
      return objectOf(shape.of, rarity);
    case "any":
      return fc.oneof(...shape.of.map((each) => valueOf(each, rarity)));
    case "or null":
      return fc.oneof(fc.constant(null), valueOf(shape.of, rarity));
    case "optional":
    case "required":
    case "lenient":
    case "changed":
      break;
  }
  return valueOf(shape.of, rarity);
}

/** With all fields or without some, and with one that does not exist. */
function objectOf(fields: Readonly<Record<string, Shape>>, rarity: number): fc.Arbitrary<unknown> {
  const names = Object.keys(fields);
  const optional = names.filter((name) => /optional|changed/.test(fields[name]?.is ?? ""));
  const absent =
    rarity === 0
      ? fc.subarray(optional)
      : fc.subarray(names, { maxLength: Math.min(1, names.length) });
  const values = Object.entries(fields).map(([name, of]) => [name, valueOf(of, rarity)] as const);
  return fc
    .tuple(fc.record(Object.fromEntries(values)), absent, fc.boolean())
    .map(([value, without, more]) => {
      const left = Object.entries(value).filter(([name]) => !without.includes(name));
      return Object.fromEntries(more ? [...left, ["unknown", 1]] : left);
    });
}

function textOf({ patterns = [], bytes, max = 40 }: StringShape): fc.Arbitrary<string> {
  if (bytes !== undefined)
    return fc
      .uint8Array({ minLength: bytes[0], maxLength: bytes[0] })
      .map((data) => Buffer.from(data).toString("base64"));
  const [first] = patterns;
  if (first === undefined)
    return fc.oneof(fc.string({ maxLength: Math.min(max, 40) }), longTextOf({ is: "string", max }));
  if (first[1].includes("datetime"))
    return fc.constantFrom("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.123Z");
  return first[1].includes("UUID") ? fc.uuid() : fc.stringMatching(first[0]);
}

/** A text of the most characters, or of `more`, each of which may have two UTF-16 units. */
const longTextOf = ({ max = 40 }: StringShape, more = 0): fc.Arbitrary<string> =>
  fc
    .tuple(fc.constantFrom("x", "\u20AC", "\u{1F600}"), fc.constantFrom(max, max + more))
    .map(([char, length]) => char.repeat(length));

/** Which of several shapes was meant is guessed in another way. */
const isUnsure = (message: string): boolean => /(?:^|: )Invalid input$/.test(message);

/** Compares what schema and shape make of a value. True if both take it. */
function compare(schema: z.ZodType, shape: Shape, value: unknown): boolean {
  const theirs = schema.safeParse(value);
  const issues = theirs.error?.issues ?? [];
  // Conditions between the fields of a webhook source are the mesh's: shapes have none.
  if (issues.some(({ code, message }) => code === "custom" && !message.includes("base64")))
    return false;
  const ours = readShape(shape as Typed<unknown>, value);
  if (ours.ok && theirs.success) {
    expect(ours.value).toStrictEqual(theirs.data);
    expect(inspect(ours.value, { depth: null })).toBe(inspect(theirs.data, { depth: null }));
    return true;
  }
  expect(ours.ok).toBe(theirs.success);
  const said = firstIssue(theirs.error as z.ZodError);
  if (!ours.ok && !isUnsure(said) && !isUnsure(ours.error)) expect(ours.error).toBe(said);
  return false;
}

const LOADED = await Promise.all(
  Object.entries(MODULES).map(async ([module, names]) => {
    const shapes = (await import(`../../../src/protocol/shapes/${module}.ts`)) as Record<
      string,
      Shape
    >;
    return names.map((name) => [name, module, shapes[name] as Shape] as const);
  }),
);
const EACH = LOADED.flat().map(([name, module, shape]) => {
  const schema = SCHEMAS.find(([named]) => named === name)?.[1] as z.ZodType;
  return [`${module}/${name}`, schema, shape] as const;
});

describe("a shape", () => {
  test("SK27 exists of each schema that the SDK reads", () => {
    const names = new Set(Object.values(MODULES).flat());
    expect(SCHEMAS.map(([name]) => name).filter((name) => !names.has(name))).toEqual([]);
  });

  test.each(EACH)("SK27 of %s reads what its schema reads", (_, schema, shape) => {
    const taken = { count: 0 };
    fc.assert(
      fc.property(valueOf(shape, 0), (value) => {
        if (compare(schema, shape, value)) taken.count++;
      }),
      { numRuns: 50 },
    );
    expect(taken.count).toBeGreaterThan(0);
  });

  test.each(EACH)(
    "SK27 of %s refuses what its schema refuses, in its words",
    (_, schema, shape) => {
      const property = fc.property(
        valueOf(shape, 20),
        (value) => void compare(schema, shape, value),
      );
      fc.assert(property, { numRuns: 100 });
      for (const value of [
        undefined,
        null,
        1,
        "x",
        true,
        [],
        {},
        [{}],
        new JsonText("{}"),
        Number.NaN,
      ])
        compare(schema, shape, value);
    },
  );
});
