import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import * as http from "../../src/protocol/http.ts";
import { TASK_PAYLOADS } from "../../src/protocol/task-messages.ts";
import { issuesOf } from "../../src/protocol/schema/issues.ts";
import { tolerant, tolerantObjects } from "../../src/protocol/schema/strictness.ts";
import { suggestedField } from "../../src/protocol/schema/suggested-field.ts";

const Leaf = z.strictObject({ peer_id: z.string().optional(), min_score: z.number().optional() });
const Union = z.union([z.strictObject({ latitude: z.number() }), Leaf]);
const Tree = z
  .strictObject({
    kind: z.string(),
    requirements: Leaf.default({}),
    near: Union.nullable().optional(),
    steps: z.array(z.strictObject({ max_attempts: z.int(), leaf: Leaf.optional() })).optional(),
    choice: z
      .discriminatedUnion("type", [
        z.strictObject({ type: z.literal("a"), first_thing: z.string().optional() }),
        z.strictObject({ type: z.literal("b"), second_thing: z.string().optional() }),
      ])
      .optional(),
    labels: z.record(z.string(), z.string()).optional(),
    pair: z.tuple([Leaf, z.string()]).optional(),
    piped: z
      .strictObject({ inner_name: z.string() })
      .transform((value) => value)
      .optional(),
  })
  .refine(({ kind }) => kind !== "never");

/** The issues of a value. */
function issues(value: unknown) {
  const parsed = Tree.safeParse(value);
  return parsed.success ? [] : issuesOf(parsed.error, Tree);
}

describe("the issues of a request", () => {
  test.each([
    [{ peerId: "x" }, "peerId", "requirements.peer_id"],
    [{ PEER_ID: "x" }, "PEER_ID", "requirements.peer_id"],
    [{ requirements: { peer: "x" } }, "requirements.peer", null],
    [{ requirements: { peerid: "x" } }, "requirements.peerid", "requirements.peer_id"],
    [{ requirements: { Kind: "x" } }, "requirements.Kind", "kind"],
    [{ near: { latitude: 1, longitude: 1 } }, "near.longitude", null],
    [{ near: { latitude: 1, latitud: 1 } }, "near.latitud", "near.latitude"],
    [
      { steps: [{ max_attempts: 1 }, { max_attempts: 1, peer_id: 1 }] },
      "steps.1.peer_id",
      "requirements.peer_id",
    ],
    [
      { steps: [{ max_attempts: 1, maxAttempts: 1 }] },
      "steps.0.maxAttempts",
      "steps.0.max_attempts",
    ],
    [{ "max-attempts": 1 }, "max-attempts", "steps[].max_attempts"],
    [{ choice: { type: "b", secondThing: "" } }, "choice.secondThing", "choice.second_thing"],
    [{ piped: { inner_name: "", innername: "" } }, "piped.innername", "piped.inner_name"],
    [{ pair: [{ peerId: "" }, ""] }, "pair.0.peerId", "pair.0.peer_id"],
    [{ knid: "a" }, "knid", "kind"],
    [{ frobnicate: 1 }, "frobnicate", null],
    [{ toString: 1 }, "toString", null],
  ])("HT30 of %j name the field and what it probably means", (more, path, meant) => {
    const question = meant === null ? "" : `; did you mean \`${meant}\`?`;
    expect(issues({ kind: "a", ...more })).toEqual([
      { path, message: `this field does not exist${question}` },
    ]);
  });

  test("HT30 free-form values have any fields", () => {
    expect(issues({ kind: "a", labels: { peerId: "x", anything: "y" } })).toEqual([]);
  });

  test("HT30 a suggestion is a field of the schema, for any name at any level", () => {
    const places = fc.constantFrom(
      [],
      ["requirements"],
      ["steps", 3],
      ["steps", 3, "leaf"],
      ["near"],
    );
    fc.assert(
      fc.property(
        places,
        fc.oneof(fc.string(), fc.constantFrom("peerId", "Kind", "leafs", "steps[]")),
        (place, name) => {
          const meant = suggestedField(Tree, [...place, name]);
          const last = meant?.split(".").at(-1)?.replace("[]", "") ?? "kind";
          expect([
            "kind",
            "requirements",
            "peer_id",
            "min_score",
            "near",
            "latitude",
            "steps",
            "max_attempts",
            "leaf",
            "choice",
            "type",
            "first_thing",
            "second_thing",
            "labels",
            "piped",
            "pair",
            "inner_name",
          ]).toContain(last);
        },
      ),
    );
  });
});

describe("a tolerant copy of a schema", () => {
  test("HT35 skips unknown fields at every level and reads the rest in the same way", () => {
    const value = {
      kind: "a",
      near: { peer_id: "x" },
      steps: [{ max_attempts: 1, leaf: { min_score: 1 } }],
      choice: { type: "b" },
      pair: [{ peer_id: "x" }, "y"],
      piped: { inner_name: "x" },
    };
    const noisy = {
      ...value,
      x: 1,
      near: { ...value.near, x: 1 },
      steps: [{ max_attempts: 1, leaf: { min_score: 1, x: 1 }, x: 1 }],
      choice: { type: "b", x: 1 },
      pair: [{ peer_id: "x", x: 1 }, "y"],
      piped: { inner_name: "x", x: 1 },
    };
    expect(Tree.safeParse(noisy).success).toBe(false);
    expect(tolerant(Tree).parse(noisy)).toEqual(Tree.parse(value));
    expect(tolerant(Tree).safeParse({ kind: "never" }).success).toBe(false);
    expect(tolerantObjects(Tree)).toEqual([]);
  });

  test("HT35 is what the answers and the messages about tasks are read with: none of their objects is strict", () => {
    const read = { ...TASK_PAYLOADS, ...viewsOf(http) };
    expect(Object.keys(read).length).toBeGreaterThan(40);
    for (const [name, schema] of Object.entries(read))
      expect([name, strictObjects(schema)]).toEqual([name, 0]);
  });
});

/** The schemas of answers: what the clients read. */
const viewsOf = (all: object): Record<string, z.ZodType> =>
  Object.fromEntries(
    Object.entries(all).filter(
      ([name, value]) => /(?:View|List|Summary|Event)$/.test(name) && value instanceof z.ZodType,
    ),
  );

/** How many objects of a schema refuse unknown fields, by its JSON Schema. */
const strictObjects = (schema: z.ZodType): number =>
  JSON.stringify(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" })).split(
    '"additionalProperties":false',
  ).length - 1;
