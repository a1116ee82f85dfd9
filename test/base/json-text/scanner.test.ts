import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { JsonPath, showPath } from "../../../src/base/json-text/path.ts";
import type {
  JsonFault,
  JsonKind,
  JsonScannerLimits,
  JsonVisitor,
} from "../../../src/base/json-text/events.ts";
import { scanJson } from "../../../src/base/json-text/scan-json.ts";
import { JsonScanner } from "../../../src/base/json-text/scanner.ts";
import { jsonText } from "./texts.ts";

const UNLIMITED: JsonScannerLimits = { maxDepth: Number.POSITIVE_INFINITY };
const SILENT: JsonVisitor = { begin: () => {}, end: () => {}, key: () => {} };

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

/** Splits a text before the given positions. */
const split = (text: string, cuts: readonly number[]): string[] => {
  const at = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].toSorted((a, b) => a - b);
  return [0, ...at].map((start, i) => text.slice(start, at[i] ?? text.length));
};

const scanChunks = (chunks: readonly string[], visitor = SILENT, limits = UNLIMITED) => {
  const scanner = new JsonScanner(visitor, limits);
  for (const chunk of chunks) {
    const fault = scanner.write(chunk);
    if (fault !== null) return fault;
  }
  return scanner.finish();
};

/** Rebuilds the value from the events, with the raw text of each scalar; `sources` holds each value's raw text by its path. */
class Rebuild implements JsonVisitor {
  readonly sources: [path: string, source: string][] = [];
  readonly #path = new JsonPath();
  readonly #starts: number[] = [];
  readonly #values: unknown[] = [];
  readonly #names: string[] = [];
  result: unknown;
  scanner!: JsonScanner;

  begin(kind: JsonKind, start: number): void {
    this.#path.value();
    this.scanner.keep(start);
    this.#starts.push(start);
    this.#path.open(kind);
    if (kind === "object") this.#values.push({});
    else if (kind === "array") this.#values.push([]);
  }

  key(name: string | null, start: number, end: number): void {
    this.#path.key(name);
    expect(JSON.parse(this.scanner.text(start, end))).toBe(name);
    this.#names.push(name as string);
  }

  end(kind: JsonKind, end: number): void {
    this.#path.close(kind);
    const source = this.scanner.text(this.#starts.pop() as number, end);
    this.sources.push([showPath("$", this.#path.segments), source]);
    const isContainer = kind === "object" || kind === "array";
    this.#add(isContainer ? this.#values.pop() : JSON.parse(source));
  }

  #add(value: unknown): void {
    const parent = this.#values.at(-1);
    if (parent === undefined) this.result = value;
    else if (Array.isArray(parent)) parent.push(value);
    else {
      const property = { value, enumerable: true, writable: true, configurable: true };
      Object.defineProperty(parent, this.#names.pop() as string, property);
    }
  }
}

const rebuild = (chunks: readonly string[]): { fault: JsonFault | null; rebuilt: Rebuild } => {
  const rebuilt = new Rebuild();
  const scanner = new JsonScanner(rebuilt, UNLIMITED);
  rebuilt.scanner = scanner;
  for (const chunk of chunks) scanner.write(chunk);
  return { fault: scanner.finish(), rebuilt };
};

const cuts = fc.array(fc.nat(), { maxLength: 12 });

/** Texts that are nearly JSON: one place of a valid text is changed, removed or doubled, or they are made of JSON's characters. */
const nearlyJson = fc.oneof(
  fc
    .tuple(jsonText(), fc.nat(), fc.string({ unit: "binary", maxLength: 2 }), fc.nat({ max: 2 }))
    .map(([text, at, inserted, removed]) => {
      const place = at % (text.length + 1);
      return text.slice(0, place) + inserted + text.slice(place + removed);
    }),
  fc
    .tuple(
      jsonText(),
      fc.nat(),
      fc.constantFrom(...Array.from('{}[]",:\\-+.eE0179tfn u/\n\u0001\ufeff\ud800')),
    )
    .map(([text, at, char]) => {
      const place = at % (text.length + 1);
      return text.slice(0, place) + char + text.slice(place + 1);
    }),
  fc.string({
    unit: fc.constantFrom(...Array.from('{}[]",:\\-+.eE019truefalsn u')),
    maxLength: 16,
  }),
  fc.string({ unit: fc.constantFrom(...Array.from("-+.eE019")), maxLength: 8 }),
  fc
    .string({ unit: fc.constantFrom(...Array.from('"\\u09afAFg\n')), maxLength: 10 })
    .map((s) => `"${s}"`),
);

describe("JsonScanner", () => {
  test("accepts exactly what JSON.parse accepts, over any split into chunks", () => {
    fc.assert(
      fc.property(fc.oneof(jsonText(), nearlyJson), cuts, (text, at) => {
        expect(scanChunks(split(text, at)) === null).toBe(isJson(text));
        expect(scanJson(text, SILENT, UNLIMITED) === null).toBe(isJson(text));
      }),
      { numRuns: 5_000 },
    );
  });

  test("a fault stands at the same place, however the text is split", () => {
    fc.assert(
      fc.property(nearlyJson, cuts, (text, at) => {
        expect(scanChunks(split(text, at))).toEqual(scanJson(text, SILENT, UNLIMITED));
      }),
      { numRuns: 2_000 },
    );
  });

  test("the events describe the value that JSON.parse returns, and each raw text parses to its part", () => {
    fc.assert(
      fc.property(jsonText({ unique: true, unescapedNames: true }), cuts, (text, at) => {
        const { fault, rebuilt } = rebuild(split(text, at));
        expect(fault).toBeNull();
        expect(rebuilt.result).toEqual(JSON.parse(text));
        expect(rebuilt.sources.at(-1)).toEqual(["$", text.trim()]);
        expect(rebuilt.sources).toEqual(rebuild(Array.from(text)).rebuilt.sources);
      }),
      { numRuns: 1_000 },
    );
  });

  test.each([
    ["", "the JSON text is incomplete", 0],
    ["  ", "the JSON text is incomplete", 2],
    ["[1", "the JSON text is incomplete", 2],
    ['"a', "the JSON text is incomplete", 2],
    ["-", "the JSON text is incomplete", 1],
    ["1.", "the JSON text is incomplete", 2],
    ["nul", "the JSON text is incomplete", 3],
    ["\ufeff1", "expected a JSON value", 0],
    ["1 2", "there is text after the end of the JSON value", 2],
    ["[1,]", "expected a JSON value", 3],
    ['{"a":1,}', "expected a key in double quotes", 7],
    ["{a:1}", "expected a key in double quotes", 1],
    ['{"a" 1}', "expected a colon after a key", 5],
    ["[1}", "expected a comma or ]", 2],
    ['{"a":1]', "expected a comma or }", 6],
    ["01", "there is text after the end of the JSON value", 1],
    ["1.e5", "this is not a JSON number", 2],
    ["trUe", "expected true", 2],
    ["NaN", "expected a JSON value", 0],
    ['"\\x"', "this escape does not exist in JSON", 2],
    ['"\\u12g4"', "\\u needs four hexadecimal digits", 5],
    ['"\n"', "a control character in a string must be escaped", 1],
    ["'a'", "expected a JSON value", 0],
  ])("refuses %j: %s", (text, detail, at) => {
    const fault = { code: "invalid_json", at, detail };
    expect(scanJson(text, SILENT, UNLIMITED)).toEqual(fault);
    expect(scanChunks(Array.from(text))).toEqual(fault);
  });

  test("a fault stays: later chunks are not read", () => {
    const scanner = new JsonScanner(SILENT, UNLIMITED);
    const fault = scanner.write("[}");
    expect(fault?.code).toBe("invalid_json");
    expect(scanner.write("]")).toBe(fault);
    expect(scanner.finish()).toBe(fault);
  });

  test("bounds the depth and the number of values, and reads nothing behind the limit", () => {
    const deep = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
    expect(scanJson(deep(32), SILENT, { maxDepth: 32 })).toBeNull();
    expect(scanJson(`[{"a":${deep(31)}}]`, SILENT, { maxDepth: 32 })?.code).toBe("too_deep");
    expect(scanJson("[".repeat(1e6), SILENT, { maxDepth: 32 })).toMatchObject({
      code: "too_deep",
      at: 32,
    });
    expect(scanJson(deep(1e5), SILENT, UNLIMITED)).toBeNull();
    expect(scanJson("[1,2,{}]", SILENT, { maxDepth: 2, maxValues: 4 })).toBeNull();
    expect(scanJson("[1,2,{},3", SILENT, { maxDepth: 2, maxValues: 4 })).toMatchObject({
      code: "too_many_values",
      at: 8,
    });
  });

  test("holds nothing of a long text between chunks, except what is kept and an unfinished key", () => {
    const chunk = "a".repeat(1_000);
    let found = "";
    const visitor: JsonVisitor = {
      begin: (_kind, start) => void (names.at(-1) === "wanted" && scanner.keep(start)),
      end: (_kind, end) => {
        if (names.pop() !== "wanted") return;
        found = scanner.text(end - 7, end);
        scanner.release();
      },
      key: (name) => void names.push(name),
    };
    const names: (string | null)[] = [];
    const scanner = new JsonScanner(visitor, { maxDepth: 4, maxKeyLength: 5_000 });
    scanner.write('{"other":"');
    for (let i = 0; i < 20; i++) {
      scanner.write(chunk);
      expect(scanner.keptLength).toBe(0);
    }
    scanner.write('","');
    for (let i = 0; i < 20; i++) {
      scanner.write(chunk);
      expect(scanner.keptLength).toBeLessThanOrEqual(5_000);
    }
    scanner.write('":');
    expect(names).toEqual([null]);
    scanner.write('1,"wan');
    expect(scanner.keptLength).toBe(4);
    scanner.write('ted":"ab');
    scanner.write("cde");
    expect(scanner.keptLength).toBe(6);
    scanner.write('" , "rest":0');
    expect(scanner.keptLength).toBe(0);
    expect([scanner.write("}"), scanner.finish(), found]).toEqual([null, null, '"abcde"']);
  });
});

describe("showPath", () => {
  test.each([
    [["items", 3, "id"], "payload.items[3].id"],
    [["odd name", "__proto__", ""], 'payload["odd name"].__proto__[""]'],
    [["a-b", "$ref", "0"], 'payload.a-b.$ref["0"]'],
    [[null, 0], "payload[…][0]"],
    [[], "payload"],
  ])("%j is shown as %s", (segments, shown) => {
    expect(showPath("payload", segments)).toBe(shown);
  });

  test("a long path is cut", () => {
    expect(
      showPath(
        "payload",
        Array.from({ length: 1_000 }, () => "name"),
      ).length,
    ).toBeLessThan(210);
  });
});
