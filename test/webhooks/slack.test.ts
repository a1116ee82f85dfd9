import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { utf8 } from "../../src/base/bytes.ts";
import { SECOND } from "../../src/base/clock.ts";
import type { Json } from "../../src/base/json.ts";
import { challengeOf } from "../../src/webhooks/index.ts";
import { must } from "../must.ts";
import { flipBit, flipTextBit } from "./bit-flips.ts";
import { eventOf, readEvent } from "./events.ts";
import {
  detailOf,
  expectTolerance,
  hmac,
  signedDeliveries,
  verdict,
  type TestDelivery,
} from "./sample-deliveries.ts";

const TIME = "x-slack-request-timestamp";
const SIGNATURE = "x-slack-signature";
const AT = 1_700_000_000;

const signed = (secret: string, body: Uint8Array, at: string = String(AT)): TestDelivery => ({
  secret,
  headers: { [TIME]: at, [SIGNATURE]: `v0=${hmac(secret, `v0:${at}:`, body).digest("hex")}` },
  body,
  now: AT * SECOND,
});
const Signed = signedDeliveries(signed);

describe("a delivery that Slack signed", () => {
  test("WH7 is accepted within the time tolerance and stale outside it, and its ID is the hash of its body", () => {
    expectTolerance("slack", Signed);
  });

  test("WH7 is refused if any bit of the signed text or of the signature is changed", () => {
    fc.assert(
      fc.property(Signed, fc.nat(), (delivery, bit) => {
        const body = flipBit(delivery.body, bit);
        expect(verdict("slack", { ...delivery, body })).toBe("signature_invalid");
        for (const name of [TIME, SIGNATURE]) {
          const changed = flipTextBit(delivery.headers[name] ?? "", bit);
          const headers = { ...delivery.headers, [name]: changed };
          expect(verdict("slack", { ...delivery, headers })).toBe("signature_invalid");
        }
      }),
      { numRuns: 300 },
    );
  });

  test("WH7 needs both headers, and a time in whole seconds", () => {
    const delivery = signed("a secret", utf8("{}"));
    for (const name of [TIME, SIGNATURE]) {
      const unsigned = { ...delivery, headers: { ...delivery.headers, [name]: "" } };
      expect(verdict("slack", unsigned)).toBe("signature_missing");
      expect(detailOf("slack", unsigned)).toContain(name);
    }
    expect(verdict("slack", signed("a secret", utf8("{}"), `${AT}.5`))).toBe("signature_invalid");
  });

  test("WH7 contains a challenge only if its event is Slack's check of the address", () => {
    const challengeIn = (event: Json) => challengeOf(must(readEvent({ scheme: "slack" }, event)));
    expect(challengeIn({ type: "url_verification", challenge: "abc", token: "x" })).toBe("abc");
    const others: Json[] = [
      { type: "event_callback", challenge: "abc" },
      { type: "url_verification" },
      { type: "url_verification", challenge: 5 },
      ["url_verification"],
      null,
    ];
    for (const event of others) expect(challengeIn(event)).toBeNull();
  });
});

describe("a body", () => {
  test("WH9 that is a form becomes an object of strings, for schemes whose senders post forms", () => {
    const form = utf8("command=%2Fbuild&text=main+now&empty=");
    for (const scheme of ["slack", "github"] as const)
      expect(eventOf(scheme, form)).toEqual({ command: "/build", text: "main now", empty: "" });
    for (const scheme of ["standard-webhooks", "stripe", "hmac"] as const)
      expect(eventOf(scheme, form)).toBeUndefined();
  });

  test("WH9 that is a form with only a JSON payload becomes that JSON", () => {
    expect(eventOf("github", utf8(`payload=${encodeURIComponent('{"a":[1]}')}`))).toEqual({
      a: [1],
    });
    expect(eventOf("slack", utf8("payload=text"))).toEqual({ payload: "text" });
    expect(eventOf("slack", utf8("payload=%7B%7D&more=1"))).toEqual({ payload: "{}", more: "1" });
  });

  test("WH9 that is JSON is never parsed as a form, for any scheme", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (event) => {
        expect(eventOf("slack", utf8(JSON.stringify(event)))).toEqual(
          JSON.parse(JSON.stringify(event)),
        );
      }),
    );
  });

  test.for([
    ["is cut off", '{"type":"a"'],
    ["is empty", ""],
    ["is prose", "hello world"],
    ["nests too deep", "[".repeat(50) + "]".repeat(50)],
    ["has fields without end", "a=1&".repeat(300)],
    ["is no form", "a=1 b"],
  ] as const)("WH9 that %s is no event", ([, text]) => {
    expect(eventOf("slack", utf8(text))).toBeUndefined();
  });

  test("WH9 keeps a form field named __proto__ as an ordinary member", () => {
    const event = eventOf("slack", utf8("__proto__=x")) as object;
    expect(Object.keys(event)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(event)).toBe(Object.prototype);
  });
});
