import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readGoP2pEnvelope } from "../../src/protocol/go-p2p-envelope.ts";
import { readEnvelope } from "../../src/protocol/read-envelope.ts";
import { must, mustFail } from "../must.ts";
import { wire } from "../wire.ts";

/** A message as go-p2p writes it: nanoseconds, the local offset, no empty `replyTo`. */
const MESSAGE = {
  id: "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
  type: "get_stats",
  from: "9f86d081884c7d659a2feaa0c55ad015",
  to: "a3f5b1c2d4e6f7081929394959697989",
  ts: "2026-01-02T03:04:05.123456789+01:00",
  payload: { lines: 5 },
};
const read = (message: unknown) => {
  const envelope = readEnvelope(JSON.stringify(message));
  return envelope.ok ? { ...envelope, value: wire(envelope.value) } : envelope;
};

describe("reading a message envelope", () => {
  test("keeps every field of an envelope that Go wrote", () => {
    expect(must(read(MESSAGE))).toEqual(MESSAGE);
  });

  test.for([
    "2026-01-02T03:04:05Z",
    "2026-01-02T03:04:05.1Z",
    "2026-01-02T03:04:05.123456Z",
    "2026-01-02T03:04:05.123456789Z",
    "2026-01-02T03:04:05.123456789+05:30",
    "2026-01-02T03:04:05-11:00",
    "0001-01-01T00:00:00Z",
  ])("keeps a timestamp of any precision and offset: %s", (ts) => {
    expect(must(read({ ...MESSAGE, ts })).ts).toBe(ts);
  });

  test("reads an absent payload as null", () => {
    const { payload: _payload, ...without } = MESSAGE;
    expect(must(read(without)).payload).toBeNull();
  });

  test("accepts a null payload, which Go writes for nil", () => {
    expect(must(read({ ...MESSAGE, payload: null })).payload).toBeNull();
  });

  test.for([0, "text", false, [], [1, { a: null }]])(
    "accepts any JSON as payload: %j",
    (payload) => {
      expect(must(read({ ...MESSAGE, payload })).payload).toEqual(payload);
    },
  );

  test("has no replyTo unless the sender set it", () => {
    expect(must(read(MESSAGE))).not.toHaveProperty("replyTo");
    expect(must(read({ ...MESSAGE, replyTo: MESSAGE.id })).replyTo).toBe(MESSAGE.id);
  });

  test("accepts an unknown type and an empty receiver, which later steps validate", () => {
    expect(must(read({ ...MESSAGE, type: "brand_new", to: "" }))).toMatchObject({
      type: "brand_new",
      to: "",
    });
  });

  test("drops unknown fields", () => {
    expect(must(read({ ...MESSAGE, extra: 1 }))).toEqual(MESSAGE);
  });
});

describe("reading a message that is not an envelope", () => {
  test.for(["", "{", "undefined", '{"id":1}}', "[".repeat(100_000)])(
    "returns bad_message for text that is not JSON: %.12s",
    (text) => {
      expect(mustFail(readEnvelope(text))).toEqual({
        code: "bad_message",
        detail: "the message is not JSON",
      });
    },
  );

  const REQUIRED = Object.keys(MESSAGE).filter((key) => key !== "payload");
  test.for(REQUIRED)("returns bad_message that names the missing field: %s", (key) => {
    const without = Object.fromEntries(Object.entries(MESSAGE).filter(([name]) => name !== key));
    const { code, detail } = mustFail(read(without));
    expect({ code, place: detail.split(":")[0] }).toEqual({ code: "bad_message", place: key });
  });

  test.for<[string, unknown]>([
    ["id", "not-a-uuid"],
    ["id", ""],
    ["id", 7],
    ["type", ""],
    ["type", "t".repeat(65)],
    ["from", "f".repeat(65)],
    ["to", null],
    ["ts", "2026-01-02 03:04:05"],
    ["ts", "2026-01-02T03:04:05"],
    ["ts", "2026-02-30T00:00:00Z"],
    ["ts", 1_767_323_045],
    ["replyTo", "r".repeat(65)],
    ["replyTo", null],
  ])("is a bad message when %s is %j, and says where", ([key, value]) => {
    const { code, detail } = mustFail(read({ ...MESSAGE, [key]: value }));
    expect({ code, place: detail.split(":")[0] }).toEqual({ code: "bad_message", place: key });
  });

  test.for([null, [], "text", 1])(
    "returns bad_message for JSON that is not an object: %j",
    (value) => {
      expect(mustFail(read(value)).code).toBe("bad_message");
    },
  );

  /** Names that every object has already. */
  const anyName = fc.constantFrom("toString", "valueOf", "constructor", "__proto__", "type", "a");
  const { anyJson } = fc.letrec((tie) => ({
    anyJson: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom(null, true, 0, "", "get_stats"),
      fc.array(tie("anyJson"), { maxLength: 2 }),
      fc.dictionary(anyName, tie("anyJson"), { maxKeys: 4, noNullPrototype: true }),
    ),
  }));

  test("refuses or takes whatever JSON comes, also objects with the names of every object", () => {
    const anyField = fc.constantFrom("type", "id", "from", "to", "ts", "timestamp", "payload");
    fc.assert(
      fc.property(anyField, anyJson, (field, value) => {
        const text = JSON.stringify({ ...MESSAGE, [field]: value });
        for (const readText of [readEnvelope, readGoP2pEnvelope])
          for (const message of [text, JSON.stringify(value)])
            expect(readText(message)).toHaveProperty("ok");
      }),
      { numRuns: 300 },
    );
    const type = { toString: 1, valueOf: 1 };
    expect(mustFail(read({ ...MESSAGE, type })).code).toBe("bad_message");
  });
});
