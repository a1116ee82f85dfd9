import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Json } from "../../src/base/json.ts";
import { parsePath, PATH_CHARS_MAX, type JsonPath } from "../../src/webhooks/json-path.ts";
import { JsonSelector } from "../../src/webhooks/selection/json-selector.ts";
import { pathTree } from "../../src/webhooks/selection/path-tree.ts";
import { must, mustFail } from "../must.ts";

function select(path: JsonPath, root: Json): Json | undefined {
  const selector = new JsonSelector(pathTree({ mapped: [path], compared: [] }));
  selector.write(JSON.stringify(root));
  expect(selector.finish()).toBe(true);
  const found = selector.find(path, "mapped");
  return found ? (JSON.parse(found.text) as Json) : undefined;
}

const selected = (text: string, root: Json): Json | undefined =>
  select(must(parsePath(text)), root);

type Segment = string | number;

/** A document of maps and arrays, which have no prototype: the model with which `select` is compared. */
type Model = Map<string, Model> | Model[] | string | number | boolean | null;
const modelOf = (json: Json): Model => {
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return json.map(modelOf);
  return new Map(Object.entries(json).map(([key, value]) => [key, modelOf(value)]));
};
const step = (model: Model | undefined, segment: Segment): Model | undefined => {
  if (model instanceof Map && typeof segment === "string") return model.get(segment);
  if (!Array.isArray(model) || typeof segment !== "number") return undefined;
  return model[segment < 0 ? model.length + segment : segment];
};

const TRICKY = [
  "__proto__",
  "constructor",
  "toString",
  "length",
  "",
  "0",
  "-1",
  "$",
  "a.b",
  "日本🔐",
];
const Name = fc.oneof(
  fc.constantFrom(...TRICKY, "a", "b", "_x9"),
  fc.string({ unit: "binary", maxLength: 6 }),
);
const AnySegment: fc.Arbitrary<Segment> = fc.oneof(Name, fc.integer({ min: -3, max: 3 }));

/** One spelling of a segment: names by shorthand where RFC 9535 §2.5.1.1 allows it, else in single or double quotes. */
const quoted = (name: string, quote: string): string => {
  let text = "";
  for (const char of name) {
    if (char === quote || char === "\\") text += `\\${char}`;
    else if (char < " ") text += `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
    else text += char;
  }
  return `[${quote}${text}${quote}]`;
};
const escapedWhole = (name: string): string =>
  `["${Array.from({ length: name.length }, (_, i) => `\\u${name.charCodeAt(i).toString(16).padStart(4, "0")}`).join("")}"]`;
const spell = (segment: Segment, style: number): string => {
  if (typeof segment === "number") return style % 2 === 0 ? `[${segment}]` : `[ ${segment}\t]`;
  if (style === 0 && /^[a-z_][a-z0-9_]*$/.test(segment)) return `.${segment}`;
  if (style === 1) return escapedWhole(segment);
  return style === 2 ? ` ${quoted(segment, '"')}` : quoted(segment, "'");
};
const Styled = fc.array(fc.tuple(AnySegment, fc.integer({ min: 0, max: 3 })), { maxLength: 8 });

const Document: fc.Arbitrary<Json> = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, depthSize: "large" },
    fc.constantFrom<Json[]>(null, 0, true, "text"),
    fc.array(tie("json"), { maxLength: 3 }),
    fc
      .array(fc.tuple(fc.constantFrom(...TRICKY, "a", "b"), tie("json")), { maxLength: 4 })
      .map((entries) => Object.fromEntries(entries) as Json),
  ),
})).json;

/** Mostly existing members of the document, sometimes a name or an index that does not exist. */
const walk = (document: Json, choices: readonly number[]): Segment[] => {
  let at: Json | undefined = document;
  return choices.map((choice) => {
    const isList = Array.isArray(at);
    const keys = typeof at === "object" && at !== null ? Object.keys(at) : [];
    const key = keys[choice % (keys.length + 1)];
    if (key === undefined)
      return choice % 3 === 0 ? (choice % 11) - 5 : (TRICKY[choice % TRICKY.length] ?? "");
    at = (at as Record<string, Json>)[key];
    if (!isList) return key;
    return choice % 2 === 0 ? Number(key) : Number(key) - keys.length;
  });
};

describe("a JSON path", () => {
  const event: Json = {
    a: { b: [10, 20, { c: null }] },
    "it's": 1,
    'say "hi"': 2,
    "back\\slash": 3,
    "tab\there": 4,
    "😀": 5,
    "": 6,
    häuser: 7,
    "\b\f\n\r\t/\\": 8,
  };

  test.for<[string, Json]>([
    ["$", event],
    ["$.a.b[0]", 10],
    ["$.a.b[-1].c", null],
    ["$.a.b[-3]", 10],
    ["$['a']['b'][1]", 20],
    ['$["a"].b[1]', 20],
    ["$ .a\n[ 'b' ]\t[ 1 ]", 20],
    ["$['it\\'s']", 1],
    ['$["it\'s"]', 1],
    ["$['say \"hi\"']", 2],
    ['$["say \\"hi\\""]', 2],
    ["$['back\\\\slash']", 3],
    ["$['tab\\there']", 4],
    ["$['tab\\u0009here']", 4],
    ["$['\\uD83D\\ude00']", 5],
    ["$.😀", 5],
    ["$['']", 6],
    ["$.häuser", 7],
    ['$["\\b\\f\\n\\r\\t\\/\\\\"]', 8],
  ])("selects the value of %s", ([text, value]) => {
    expect(selected(text, event)).toEqual(value);
  });

  test.for([
    "$.missing",
    "$.a.missing.deeper",
    "$.a.b[3]",
    "$.a.b[-4]",
    "$.a[0]",
    "$.a.b['0']",
    "$.a.b.length",
    "$['it\\'s'].length",
    "$.constructor",
    "$.__proto__",
    "$.a.__proto__.constructor",
    "$.a.hasOwnProperty",
    "$.a.b.map",
    "$[9007199254740991]",
  ])("selects nothing by %s", (text) => {
    expect(selected(text, event)).toBeUndefined();
  });

  test("treats __proto__ and constructor as ordinary names", () => {
    const odd = JSON.parse('{"__proto__": {"constructor": 1}}') as Json;
    expect(selected("$.__proto__.constructor", odd)).toBe(1);
  });

  test.for([
    "",
    "a",
    " $",
    "$ ",
    "$.",
    "$..a",
    "$.*",
    "$[*]",
    "$.a.",
    "$. a",
    "$.1a",
    "$.a-b",
    "$a",
    "$[]",
    "$[01]",
    "$[-0]",
    "$[-01]",
    "$[+1]",
    "$[1.0]",
    "$[1e3]",
    "$[1:2]",
    "$[0,1]",
    "$['a','b']",
    "$[?@.a]",
    "$[a]",
    "$['a]",
    "$['a\"]",
    "$['a'",
    "$['a'b']",
    '$["a\\\'b"]',
    "$['a\\\"b']",
    "$['\\x41']",
    "$['\\u41']",
    "$['\\ud83d']",
    "$['\\ude00']",
    "$['\\ud83d\\u0041']",
    "$['\\ud83d\\ud83d']",
    "$['a\tb']",
    "$['\ud83d']",
    "$.\ud83d",
    "$[9007199254740992]",
    "$[-9007199254740992]",
  ])("is refused if it is not a singular query: %j", (text) => {
    expect(mustFail(parsePath(text))).not.toBe("");
  });

  test("is accepted at the maximal length, and refused above it", () => {
    const text = `$.${"a".repeat(PATH_CHARS_MAX - 2)}`;
    must(parsePath(text));
    mustFail(parsePath(`${text}a`));
  });

  test("has an error with the position of the syntax error", () => {
    expect(mustFail(parsePath("$.a..b"))).toContain("character 4");
  });

  test("has the same segments in every spelling", () => {
    fc.assert(
      fc.property(Styled, (styled) => {
        const text = `$${styled.map(([segment, style]) => spell(segment, style)).join("")}`;
        fc.pre(text.length <= PATH_CHARS_MAX);
        expect(must(parsePath(text)).segments).toEqual(styled.map(([segment]) => segment));
      }),
      { numRuns: 1_000 },
    );
  });

  test("selects the same value as a model without prototypes", () => {
    const outcomes = { something: 0, nothing: 0 };
    fc.assert(
      fc.property(Document, fc.array(fc.nat(), { maxLength: 4 }), (document, choices) => {
        const segments = walk(document, choices);
        const text = `$${segments.map((segment) => spell(segment, 3)).join("")}`;
        const expected = segments.reduce<Model | undefined>(step, modelOf(document));
        const value = selected(text, document);
        if (segments.length > 0) outcomes[value === undefined ? "nothing" : "something"]++;
        expect(value === undefined ? undefined : modelOf(value)).toEqual(expected);
      }),
      { numRuns: 3_000 },
    );
    for (const count of Object.values(outcomes)) expect(count).toBeGreaterThan(100);
  });

  /** Parts of valid and of invalid paths. */
  const PIECES = `$|.|[|]|'|"|\\|u|0|d|D|8|a|-|1| |*|?|@|,|:|['|']|["|"]|\\ud83d|\\ude00`.split(
    "|",
  );
  const Noise = fc.oneof(
    fc.string({ unit: "binary", maxLength: 40 }),
    fc
      .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 })
      .map((codes) => String.fromCharCode(...codes)),
    fc.array(fc.constantFrom(...PIECES), { maxLength: 16 }).map((parts) => `$${parts.join("")}`),
  );

  test("parses or is refused for any text, and a parsed path can be written as a normalized path", () => {
    fc.assert(
      fc.property(Noise, Document, (text, document) => {
        const path = parsePath(text);
        if (!path.ok) {
          expect(path.error).not.toBe("");
          return;
        }
        const normalized = `$${path.value.segments.map((segment) => spell(segment, typeof segment === "number" ? 0 : 3)).join("")}`;
        expect(must(parsePath(normalized)).segments).toEqual(path.value.segments);
        expect(select(path.value, document)).toEqual(selected(normalized, document));
      }),
      { numRuns: 3_000 },
    );
  });
});
