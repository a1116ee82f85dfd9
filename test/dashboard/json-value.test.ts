import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { faultOf, indented, memberText } from "../../dashboard/src/model/json-value.ts";
import { EMPTY_REQUEST, requestText } from "../../dashboard/src/model/task-form.ts";

describe("JSON that the dashboard shows", () => {
  it("DB9 keeps every digit of a number, and every character of a string", () => {
    const answer =
      '{"id":"x","payload":{"n":12345678901234567890,"s":"<b>\\u0041</b>"},"result":null}';
    const payload = memberText(answer, "payload");
    expect(payload).toBe('{"n":12345678901234567890,"s":"<b>\\u0041</b>"}');
    expect(indented(payload ?? "")).toBe(
      '{\n  "n": 12345678901234567890,\n  "s": "<b>\\u0041</b>"\n}',
    );
    expect(memberText(answer, "missing")).toBeNull();
  });

  it("DB9 is the same value when it is indented", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const text = JSON.stringify(value);
        expect(JSON.parse(indented(text))).toEqual(JSON.parse(text));
      }),
    );
  });

  it("DB8 escapes characters that reorder or hide text", () => {
    expect(indented('["\u202eabc"]')).toBe('[\n  "\\u202eabc"\n]');
  });

  it("has empty objects and arrays on one line, and shows the beginning of a text that is cut off", () => {
    expect(indented('{"a":{},"b":[]}')).toBe('{\n  "a": {},\n  "b": []\n}');
    expect(indented('{"a":[1,')).toBe('{\n  "a": [\n    1,\n    ');
  });

  it("says what is wrong with a text that is not JSON", () => {
    expect(faultOf('{"a":1}')).toBeNull();
    expect(faultOf('{"a":')).toMatch(/JSON/);
  });
});

describe("the request of the form", () => {
  it("DB9 has the payload as it was typed", () => {
    const text = requestText({
      ...EMPTY_REQUEST,
      kind: " count ",
      payload: "12345678901234567890",
    });
    expect(text).toBe('{"kind":"count","payload":12345678901234567890}');
  });

  it("leaves out what was not filled in", () => {
    const form = {
      ...EMPTY_REQUEST,
      kind: "k",
      labels: " gpu  memory_gib>=16 ",
      priority: "2",
      deadline: "60",
    };
    expect(JSON.parse(requestText(form))).toEqual({
      kind: "k",
      requirements: { capabilities: ["gpu", "memory_gib>=16"] },
      priority: 2,
      deadline_seconds: 60,
      payload: null,
    });
    expect(JSON.parse(requestText({ ...EMPTY_REQUEST, kind: "k", peer: "p" }))).toEqual({
      kind: "k",
      requirements: { peer_id: "p" },
      payload: null,
    });
  });
});
