import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { utf8 } from "../../src/base/bytes.ts";
import { parseJson, type Json } from "../../src/base/json.ts";
import { TASK_PAYLOAD_BYTES_MAX } from "../../src/protocol/constants.ts";
import { EventMapping } from "../../src/protocol/http.ts";
import { PAYLOAD_DEPTH_MAX } from "../../src/webhooks/payload-text.ts";
import { textOfJson } from "../../src/base/json-text/json-text.ts";
import { readWhole } from "../../src/webhooks/index.ts";
import { taskOf } from "../../src/webhooks/mapping.ts";
import { must, mustFail } from "../must.ts";
import { rulesWith, taskFrom } from "./events.ts";

/** The task whose payload is the whole event. */
const checkPayload = (event: Json) => taskFrom(EventMapping.parse({ kind: "any" }), event);

const sizeOf = (json: Json): number => utf8(JSON.stringify(json)).length;

const nested = (levels: number): Json => {
  let json: Json = 0;
  for (let i = 0; i < levels; i++) json = i % 2 === 0 ? [json] : { a: json };
  return json;
};

/** A payload in the message that carries it: the offer of a task in its envelope. */
const offerOf = (payload: Json): string => JSON.stringify({ payload: { payload } });

describe("a payload's size", () => {
  test("is exactly the number of bytes of its JSON", () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "binary", maxDepth: 4 }), (value) => {
        const json = value as Json;
        const room = TASK_PAYLOAD_BYTES_MAX - sizeOf([json, ""]);
        const full: Json = [json, "x".repeat(room)];
        expect(sizeOf(full)).toBe(TASK_PAYLOAD_BYTES_MAX);
        expect(checkPayload(full).ok).toBe(true);
        expect(mustFail(checkPayload([json, "x".repeat(room + 1)])).code).toBe("event_unmapped");
      }),
      { numRuns: 100 },
    );
  });

  test.for<[string, Json]>([
    ["escapes", '"\\\n\u0001'],
    ["characters of several bytes", "é日🔐"],
    ["numbers", [0, -0, 1e21, 1.5e-7, -3]],
    ["empty containers", [[], {}, [{}], { "": [] }]],
  ])("counts %s as JSON.stringify writes it", ([, json]) => {
    const room = TASK_PAYLOAD_BYTES_MAX - sizeOf({ json, pad: "" });
    expect(checkPayload({ json, pad: "x".repeat(room) }).ok).toBe(true);
    expect(checkPayload({ json, pad: "x".repeat(room + 1) }).ok).toBe(false);
  });
});

describe("a payload's text", () => {
  const textOf = (payload: Json, body: string): string => {
    const mapping = EventMapping.parse({ kind: "any", payload });
    const event = must(readWhole(rulesWith({ mapping }), utf8(body)));
    const task = taskOf(mapping, event);
    return task.ok ? textOfJson(task.value.payload) : `${task.error.code} ${task.error.detail}`;
  };

  test("WH46 is that of the event, inside the template's", () => {
    const body = '{"n": 9007199254740993, "s":"\\u00e9", "o": { "a" : 1.10 } }';
    expect(textOf({ n: "$.n", list: ["$.s", "$$", "$.o"] }, body)).toBe(
      '{"n":9007199254740993,"list":["\\u00e9","$",{ "a" : 1.10 }]}',
    );
    expect(textOf("$", body)).toBe(body);
  });

  test.for<[string, string]>([
    ['{"a":{"b":1,"b":2}}', "occurs twice"],
    ['{"a":[1e999]}', "payload"],
    ['{"a":"\\ud83d"}', "payload"],
  ])("WH46 is refused if a reader would change it in silence: %s", ([body, words]) => {
    expect(textOf("$.a", body)).toMatch(/^event_unmapped payload/);
    expect(textOf("$.a", body)).toContain(words);
    expect(textOf(1, body)).toBe("1");
  });
});

describe("a payload's nesting", () => {
  test("is limited so that a peer accepts the offer that carries it", () => {
    const deepest = nested(PAYLOAD_DEPTH_MAX);
    expect(checkPayload(deepest).ok).toBe(true);
    expect(parseJson(offerOf(deepest))).not.toBeUndefined();
    const deeper = nested(PAYLOAD_DEPTH_MAX + 1);
    expect(mustFail(checkPayload(deeper)).code).toBe("event_unmapped");
    expect(parseJson(offerOf(deeper))).toBeUndefined();
  });
});
