import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exactJsonOf, textOfJson, toJsonText } from "../../src/base/json-text/json-text.ts";
import type { Json } from "../../src/base/json.ts";
import type { ApiError } from "../../src/protocol/errors.ts";
import { EventMapping, SubmitTask } from "../../src/protocol/http.ts";
import { checkMapping } from "../../src/webhooks/index.ts";
import { must, mustFail } from "../must.ts";
import { taskFrom } from "./events.ts";

const mapping = (fields: { readonly kind?: string; readonly payload?: Json }): EventMapping =>
  EventMapping.parse({ kind: "sha256", ...fields });

const EVENT: Json = {
  type: "file.added",
  data: { file: "a.txt", size: 3, tags: ["x", "y"], none: null },
  price: "$5",
};

const payloadOf = (payload: Json, event: Json = EVENT): Json =>
  JSON.parse(textOfJson(must(taskFrom(mapping({ payload }), event)).payload)) as Json;

const refusal = (
  fields: { readonly kind?: string; readonly payload?: Json },
  event: Json = EVENT,
): ApiError => mustFail(taskFrom(mapping(fields), event));

const nested = (levels: number, core: Json): Json => {
  let json = core;
  for (let i = 0; i < levels; i++) json = [json];
  return json;
};

describe("an event's mapping to a task", () => {
  test("uses the whole event as the payload by default", () => {
    const task = must(taskFrom(EventMapping.parse({ kind: "sha256" }), EVENT));
    expect(task).toMatchObject({ kind: "sha256", payload: exactJsonOf(EVENT) });
  });

  test("reads the kind from the event if it is a path", () => {
    expect(must(taskFrom(mapping({ kind: "$.type" }), EVENT)).kind).toBe("file.added");
  });

  test("copies requirements, priority and limits to the task", () => {
    const fields = {
      requirements: { capabilities: ["gpu"], min_score: 0.5 },
      priority: 7,
      deadline_seconds: 60,
      max_attempts: 2,
      lease_seconds: 30,
    };
    const task = must(taskFrom(EventMapping.parse({ kind: "sha256", ...fields }), EVENT));
    expect(task).toEqual({ kind: "sha256", payload: exactJsonOf(EVENT), ...fields });
  });

  test("replaces a template's strings at any depth, and nothing else", () => {
    const template = { file: "$.data.file", all: ["$.data.tags[-1]", 1, true, null], is: "text" };
    expect(payloadOf(template)).toEqual({
      file: "a.txt",
      all: ["y", 1, true, null],
      is: "text",
    });
  });

  test("selects null if the event contains null", () => {
    expect(payloadOf({ none: "$.data.none" })).toEqual({ none: null });
  });

  test("turns $$ at the beginning of a string into a literal $", () => {
    expect(payloadOf(["$$5", "$$", "$$$", "$$.type", "5$"])).toEqual([
      "$5",
      "$",
      "$$",
      "$.type",
      "5$",
    ]);
  });

  test("does not interpret a selected string as a path", () => {
    expect(payloadOf("$.price")).toBe("$5");
  });

  test("does not interpret member names as paths", () => {
    expect(payloadOf({ "$.type": 1 })).toEqual({ "$.type": 1 });
  });

  test("keeps __proto__ as an ordinary member", () => {
    const template = JSON.parse('{"__proto__": {"file": "$.data.file"}}') as Json;
    const payload = payloadOf(template);
    expect(JSON.stringify(payload)).toBe('{"__proto__":{"file":"a.txt"}}');
    expect(Object.getPrototypeOf(payload)).toBe(Object.prototype);
  });

  test("names the path that selects nothing", () => {
    const error = refusal({ payload: { a: "$.type", b: ["$.data.absent"] } });
    expect(error.code).toBe("event_unmapped");
    expect(error.detail).toContain("$.data.absent");
    expect(refusal({ kind: "$.absent" }).detail).toContain("$.absent");
  });

  test.for<[string, Json]>([
    ["a number", 5],
    ["an object", {}],
    ["null", null],
    ["an empty string", ""],
    ["a string with a space", "file added"],
    ["a string that is too long", "k".repeat(65)],
  ])("refuses an event whose kind is %s, and names the path", ([, type]) => {
    const error = refusal({ kind: "$.type" }, { type });
    expect(error.code).toBe("event_unmapped");
    expect(error.detail).toContain("$.type");
  });

  test.for<[string, Json]>([
    ["a text", "text"],
    ["a list", []],
    ["null", null],
  ])("refuses an event that is %s if the mapping reads a member", ([, event]) => {
    expect(refusal({ kind: "$.type" }, event).code).toBe("event_unmapped");
  });

  test("refuses a payload over the limit, from the event or from the template", () => {
    const event = { data: "x".repeat(200_000) };
    expect(refusal({ payload: ["$.data", "$.data"] }, event).code).toBe("event_unmapped");
    expect(payloadOf("$.data", event)).toBe(event.data);
  });

  test("refuses a payload too large to serialize, without serializing it", () => {
    const payload = Array.from({ length: 50_000 }, () => "$");
    const event = { data: "x".repeat(200_000) };
    expect(refusal({ payload }, event).code).toBe("event_unmapped");
  });

  test("refuses a template or a payload that is nested too deeply, without a stack overflow", () => {
    expect(refusal({ payload: nested(50_000, 1) }).code).toBe("event_unmapped");
    expect(refusal({ payload: "$" }, nested(500, 1)).code).toBe("event_unmapped");
    expect(refusal({ payload: nested(20, "$") }, nested(20, 1)).code).toBe("event_unmapped");
  });
});

describe("a mapping at registration", () => {
  test("is accepted with a literal kind or a path, and a template whose paths parse", () => {
    must(checkMapping(mapping({ kind: "go-p2p/get_stats" })));
    must(checkMapping(mapping({ kind: "$['type']", payload: { a: ["$.b[0]", "$$.x", null, 1] } })));
  });

  test.for<[string, string]>([
    ["has a space", "file added"],
    ["is an escaped $", "$$kind"],
    ["is a path that does not parse", "$..type"],
    ["is too long", "k".repeat(65)],
  ])("is refused when its kind %s", ([, kind]) => {
    const error = mustFail(checkMapping(mapping({ kind })));
    expect(error.code).toBe("invalid_request");
    expect(error.issues?.map((issue) => issue.path)).toEqual(["task.kind"]);
  });

  test("is refused with the place of each path that does not parse", () => {
    const payload = { a: "$.x", b: [1, { "c d": "$.*" }], e: "$f" };
    const error = mustFail(checkMapping(mapping({ kind: "no kind", payload })));
    expect(error.issues?.map((issue) => issue.path)).toEqual([
      "task.kind",
      "task.payload.b.1.c d",
      "task.payload.e",
    ]);
    expect(error.detail).toContain("task.kind");
  });

  test("is refused with a limited number of issues", () => {
    const payload = { ["k".repeat(5_000)]: Array.from({ length: 1_000 }, () => "$bad") };
    const error = mustFail(checkMapping(mapping({ kind: "no kind", payload })));
    expect(error.issues).toHaveLength(10);
    expect(JSON.stringify(error).length).toBeLessThan(5_000);
  });

  test("is refused if it is nested too deeply, without a stack overflow", () => {
    expect(mustFail(checkMapping(mapping({ payload: nested(50_000, 1) }))).code).toBe(
      "invalid_request",
    );
  });
});

/** Any JSON with these leaves, including member names that exist on prototypes. */
const JsonOf = (leaf: fc.Arbitrary<Json>) =>
  fc.letrec<{ json: Json }>((tie) => ({
    json: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie("json"), { maxLength: 3 }),
      fc
        .array(fc.tuple(fc.constantFrom("a", "b", "__proto__", "constructor"), tie("json")), {
          maxLength: 3,
        })
        .map((entries) => Object.fromEntries(entries) as Json),
    ),
  })).json;

describe("any mapping of any event", () => {
  const Text = fc.oneof(
    fc.string({ maxLength: 8 }),
    fc.constantFrom(
      "$",
      "$.a",
      "$.a.b",
      "$['a'][0]",
      "$[0]",
      "$$",
      "$$a",
      "$.__proto__",
      "$..",
      "$[",
    ),
    fc.string({ maxLength: 8 }).map((text) => `$${text}`),
  );
  const Template = JsonOf(fc.oneof(Text, fc.constantFrom<Json[]>(null, 1, true)));
  const Event = JsonOf(
    fc.oneof(fc.constantFrom<Json[]>("sha256", null, 1, "no kind"), fc.string()),
  );

  test("gives a valid task or event_unmapped; a mapping that is refused at registration never gives a task", () => {
    const outcomes = { task: 0, unmapped: 0, refused: 0 };
    fc.assert(
      fc.property(
        fc.oneof(Text, fc.constant("sha256")),
        Template,
        Event,
        (kind, payload, event) => {
          const wanted = { ...mapping({}), kind, payload };
          const registered = checkMapping(wanted);
          if (!registered.ok) outcomes.refused++;
          const task = taskFrom(wanted, event);
          if (task.ok) {
            outcomes.task++;
            expect(registered.ok).toBe(true);
            const sent = { ...task.value, payload: toJsonText(task.value.payload) };
            expect(SubmitTask.parse(sent)).toEqual(task.value);
          } else {
            outcomes.unmapped++;
            expect(task.error.code).toBe("event_unmapped");
          }
        },
      ),
      { numRuns: 3_000 },
    );
    for (const count of Object.values(outcomes)) expect(count).toBeGreaterThan(50);
  });
});
