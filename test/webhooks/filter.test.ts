import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Json } from "../../src/base/json.ts";
import { EventMapping, WebhookFilter } from "../../src/protocol/http.ts";
import { checkFilters, checkMapping, headersOf, matchesPattern } from "../../src/webhooks/index.ts";
import { explainEvent, verdictOf, type Verdict } from "../../src/webhooks/verdict.ts";
import type { EventRules } from "../../src/webhooks/event-rules.ts";
import { must, mustFail } from "../must.ts";
import { exactJsonOf } from "../../src/base/json-text/json-text.ts";
import { readEvent, rulesWith, taskFrom } from "./events.ts";

const EVENT: Json = { action: "opened", ref: "refs/heads/main", size: 3, draft: false, none: null };
const HEADERS = headersOf({ "X-GitHub-Event": "push" });

const evaluateEvent = (
  rules: Pick<EventRules, "filters" | "mapping">,
  headers: typeof HEADERS,
  event: Json,
): Verdict => verdictOf(rulesWith(rules), headers, readEvent(rules, event));

type Given = (typeof WebhookFilter)["_input"];
const mapping = EventMapping.parse({ kind: "build" });
const outcome = (...filters: Given[]): string =>
  evaluateEvent(
    { filters: filters.map((each) => WebhookFilter.parse(each)), mapping },
    HEADERS,
    EVENT,
  ).outcome;

describe("a filter", () => {
  test.for<[string, Given]>([
    ["task", { header: "X-GitHub-Event", equals: "push" }],
    ["filtered", { header: "X-GitHub-Event", equals: "Push" }],
    ["filtered", { header: "X-Other", equals: "push" }],
    ["task", { header: "x-github-event", matches: "p*" }],
    ["task", { path: "$.action", one_of: ["opened", "closed"] }],
    ["filtered", { path: "$.action", one_of: ["closed"] }],
    ["task", { path: "$.size", equals: 3 }],
    ["filtered", { path: "$.size", equals: "3" }],
    ["filtered", { path: "$.size", matches: "*" }],
    ["task", { path: "$.draft", equals: false }],
    ["task", { path: "$.none", equals: null }],
    ["filtered", { path: "$.missing", equals: null }],
    ["task", { path: "$.ref", matches: "refs/heads/*" }],
    ["filtered", { path: "$.ref", matches: "refs/tags/*" }],
    ["filtered", { path: "$.toString", matches: "*" }],
  ])("WH11 has the outcome %s for %j", ([expected, filter]) => {
    expect(outcome(filter)).toBe(expected);
  });

  test("WH11 must match together with all others; the reason names the first that does not", () => {
    const holds: Given = { path: "$.size", equals: 3 };
    expect(outcome(holds, holds)).toBe("task");
    const filters = [holds, { path: "$.ref", equals: "x" }].map((each) =>
      WebhookFilter.parse(each),
    );
    expect(evaluateEvent({ filters, mapping }, HEADERS, EVENT)).toEqual({
      outcome: "filtered",
      reason: expect.stringMatching(/^filters\.1: \$\.ref /),
    });
  });

  test("WH11 is applied before the mapping: an excluded event need not fit the mapping", () => {
    const picky = EventMapping.parse({ kind: "$.missing" });
    const filters = [WebhookFilter.parse({ path: "$.size", equals: 4 })];
    expect(evaluateEvent({ filters, mapping: picky }, HEADERS, EVENT).outcome).toBe("filtered");
    expect(evaluateEvent({ filters: [], mapping: picky }, HEADERS, EVENT).outcome).toBe("unmapped");
  });

  test.for<[string, Given]>([
    ["filters.0.path", { path: "$..x", equals: 1 }],
    ["filters.0.path", { path: "x", equals: 1 }],
    ["filters.0.equals", { header: "x", equals: 1 }],
    ["filters.0.one_of", { header: "x", one_of: ["a", null] }],
  ])("WH11 is refused at %s if it is unusable: %j", ([place, filter]) => {
    const error = mustFail(checkFilters([WebhookFilter.parse(filter)]));
    expect(error.issues?.map(({ path }) => path)).toEqual([place]);
  });

  test.for<Given>([
    { equals: 1 },
    { header: "x", path: "$.x", equals: 1 },
    { path: "$.x" },
    { path: "$.x", equals: 1, matches: "a" },
    { path: "$.x", matches: "a".repeat(201) },
    { path: "$.x", one_of: [] },
  ])("WH11 has exactly one place and one test: %j is refused", (filter) => {
    expect(WebhookFilter.safeParse(filter).success).toBe(false);
  });
});

describe("a pattern", () => {
  const Text = fc.string({ unit: fc.constantFrom("a", "b", ".", "/"), maxLength: 12 });
  const Pattern = fc.string({ unit: fc.constantFrom("a", "b", ".", "*", "?"), maxLength: 8 });

  test("WH11 matches exactly like the equivalent regular expression", () => {
    fc.assert(
      fc.property(Pattern, Text, (pattern, text) => {
        const meaning = pattern.replaceAll(".", "\\.").replaceAll("*", ".*").replaceAll("?", ".");
        expect(matchesPattern(pattern, text)).toBe(new RegExp(`^${meaning}$`, "s").test(text));
      }),
      { numRuns: 2_000 },
    );
  });

  test("WH11 is decided quickly even if it would take a backtracking matcher exponential time", () => {
    expect(matchesPattern(`${"a*".repeat(99)}b`, "a".repeat(4_096))).toBe(false);
    expect(matchesPattern("*", "a".repeat(4_096))).toBe(true);
    expect(matchesPattern("*", "a".repeat(4_097))).toBe(false);
  });
});

describe("a default", () => {
  const filled = (fields: object, event: Json = EVENT) =>
    must(taskFrom(EventMapping.parse({ kind: "k", ...fields }), event));

  test("WH12 replaces a path that selects nothing, and no other", () => {
    const payload = { size: "$.size", none: "$.none", missing: "$.missing" };
    const defaults = { "$.size": 7, "$.none": 7, "$.missing": { any: [1] } };
    expect(filled({ payload, defaults }).payload).toEqual(
      exactJsonOf({ size: 3, none: null, missing: { any: [1] } }),
    );
    expect(filled({ kind: "$.type", defaults: { "$.type": "build" } }).kind).toBe("build");
  });

  test("WH12 is a value, and is not interpreted as a path", () => {
    const fields = { payload: ["$.missing"], defaults: { "$.missing": "$.size" } };
    expect(filled(fields).payload).toEqual(exactJsonOf(["$.size"]));
  });

  test.for(["$.other", "size", "$$.x", "__proto__"])(
    "WH12 is refused if the mapping does not contain its path: %s",
    (path) => {
      const fields = { kind: "k", payload: { a: "$.size", b: "$$.x" } };
      const defaults = Object.fromEntries([[path, 1]]);
      const error = mustFail(checkMapping({ ...EventMapping.parse(fields), defaults }));
      expect(error.issues?.map((issue) => issue.path)).toEqual([`task.defaults.${path}`]);
    },
  );
});

test("WH13 a dry run has the same verdict as a delivery", () => {
  const Filter = fc.record({
    path: fc.constantFrom("$.action", "$.size", "$.missing"),
    equals: fc.constantFrom("opened", 3, null),
  });
  fc.assert(
    fc.property(fc.array(Filter, { maxLength: 3 }), fc.constantFrom("k", "$.no"), (given, kind) => {
      const rules = {
        filters: given.map((each) => WebhookFilter.parse(each)),
        mapping: EventMapping.parse({ kind }),
      };
      const { outcome: verdict } = evaluateEvent(rules, HEADERS, EVENT);
      const explained = explainEvent(rulesWith(rules), HEADERS, must(readEvent(rules, EVENT)));
      expect(explained.filters.every(({ holds }) => holds)).toBe(verdict !== "filtered");
      expect(explained.task !== null).toBe(kind === "k");
    }),
  );
});
