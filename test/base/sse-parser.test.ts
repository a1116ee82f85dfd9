import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SseParser, type SseMessage } from "../../src/base/sse-parser.ts";

const parse = (...chunks: readonly string[]): readonly SseMessage[] => {
  const parser = new SseParser();
  return chunks.flatMap((chunk) => parser.push(chunk));
};

describe("the parser of server-sent events", () => {
  test("SK36 reads fields, comments, several lines of data and positions as the standard says", () => {
    const text = [
      ": a comment",
      "",
      "id: 1",
      "event: a",
      "data: one",
      "data:two",
      "data:  three",
      "retry: 2000",
      "unknown: x",
      "",
      "id: 2",
      "",
      "data",
      "",
      "event: nothing",
      "",
      "id: not\0one",
      "data: x",
      "",
      "data: unfinished",
    ].join("\n");
    expect(parse(text)).toEqual([
      { id: "1", event: "a", data: "one\ntwo\n three" },
      { id: "2", event: "", data: null },
      { id: null, event: "", data: "" },
      { id: null, event: "", data: "x" },
    ]);
  });

  test("SK36 reads the same whatever the chunks and the ends of lines are", () => {
    const blocks = 'id: 1\nevent: a\ndata: {"x":1}\n\n: beat\n\nid: 2\n\ndata: b\n\n';
    fc.assert(
      fc.property(
        fc.constantFrom("\n", "\r\n", "\r"),
        fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 20 }),
        (end, sizes) => {
          // After a CR the parser waits for what follows: it may be LF.
          const text = `${blocks.replaceAll("\n", end)}:`;
          const chunks: string[] = [];
          for (let at = 0, n = 0; at < text.length; n++) {
            const size = sizes[n % sizes.length] ?? 1;
            chunks.push(text.slice(at, at + size));
            at += size;
          }
          expect(parse(...chunks)).toEqual(parse(blocks));
        },
      ),
    );
  });

  test("SK36 gives up a message that is too long", () => {
    const parser = new SseParser();
    expect(() => {
      for (let n = 0; n < 100; n++) parser.push(`data: ${"x".repeat(1_000)}\n`);
    }).toThrow(RangeError);
  });
});
