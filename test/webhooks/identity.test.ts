import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HOUR, SECOND, DAY } from "../../src/base/clock.ts";
import type { Json } from "../../src/base/json.ts";
import type { DeliveryIdentity, Signing } from "../../src/protocol/http.ts";
import { checkIdentity, idsOf, type DeliveryIds } from "../../src/webhooks/identity.ts";
import { must, mustFail } from "../must.ts";
import { readEvent, rulesWith } from "./events.ts";

const HASH = "ab".repeat(32);
const NOW = 20_000 * DAY + 5 * HOUR;

function ids(
  identity: DeliveryIdentity | null,
  event: Json,
  { now = NOW, ...signing }: Partial<Signing> & { readonly now?: number } = {},
) {
  const rules = rulesWith({ scheme: "hmac", ...signing, identity });
  const read = must(readEvent(rules, event));
  return idsOf(rules, { id: null, bodyHash: HASH }, read, now);
}

const idOf = (...args: Parameters<typeof ids>): string => must(ids(...args)).deliveryId;

describe("an identity by path", () => {
  test("WH51 is the text or the number at the path, as it was sent", () => {
    const rules = { path: "$.order['id']" };
    expect(idOf(rules, { order: { id: "a.b" } })).toBe("id:a.b");
    expect(idOf(rules, { order: { id: 17 }, other: 1 })).toBe("id:17");
    expect(idOf(rules, { order: { id: 17 }, other: 2 })).toBe("id:17");
  });

  test("WH51 is never another kind of ID, nor the key of a replay", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 }), (id) => {
        expect(idOf({ path: "$" }, id)).toBe(`id:${id}`);
      }),
    );
    for (const id of [HASH, `${HASH}@20000`, "replay.a.b", "msg_1"])
      expect(idOf({ path: "$" }, id)).toBe(`id:${id}`);
  });

  test.for<Json>([
    {},
    { id: "" },
    { id: null },
    { id: true },
    { id: [1] },
    { id: "x".repeat(257) },
  ])("WH51 is missing in %j, and the error names the path", (event) => {
    const error = mustFail(ids({ path: "$.id" }, event));
    expect([error.code, error.detail.includes("$.id")]).toEqual(["event_unmapped", true]);
  });

  test("WH51 is refused at registration if its path does not parse", () => {
    must(checkIdentity({ path: "$.id" }));
    const error = mustFail(checkIdentity({ path: "$..id" }));
    expect(error.issues?.map(({ path }) => path)).toEqual(["identity.path"]);
  });
});

describe("an identity by time", () => {
  const identity = { bucket_seconds: DAY / SECOND };
  const at = (now: number): DeliveryIds => must(ids(identity, {}, { now }));
  /** Whether the second delivery is the task that the first one became. */
  const isSame = (first: number, second: number): boolean => {
    const { deliveryId, earlier } = at(second);
    const before = at(first).deliveryId;
    return (
      before === deliveryId ||
      (earlier !== null && earlier.deliveryId === before && first >= earlier.since)
    );
  };

  test("WH52 makes the same body the same task in one span, and up to a quarter of it after the first one", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 10 * DAY, max: 30_000 * DAY }),
        fc.integer({ min: 0, max: 3 * DAY }),
        (first, later) => {
          const second = first + later;
          const sameSpan = Math.floor(first / DAY) === Math.floor(second / DAY);
          expect(isSame(first, second)).toBe(sameSpan || later <= DAY / 4);
        },
      ),
      { numRuns: 5_000 },
    );
  });

  test("WH52 makes it a new task a day later, and no second task just after the end of a span", () => {
    expect(isSame(NOW, NOW + DAY)).toBe(false);
    const midnight = 20_001 * DAY;
    expect(isSame(midnight - SECOND, midnight + SECOND)).toBe(true);
    expect(isSame(midnight - SECOND, midnight - SECOND + DAY)).toBe(false);
  });
});

describe("a delivery of Stripe", () => {
  const stripe = (event: Json, more: Partial<Signing> = {}) =>
    idOf(null, event, { scheme: "stripe", ...more });

  test("WH53 is told apart by the ID of its event, also if a repetition differs in other members", () => {
    for (const object of ["event", "v2.core.event"])
      for (const pending_webhooks of [1, 2])
        expect(stripe({ id: "evt_1", object, pending_webhooks })).toBe("id:evt_1");
  });

  test("WH53 is told apart by its body if it is no event of Stripe", () => {
    expect(stripe({ id: "ord_1", object: "order" })).toBe(HASH);
    expect(stripe({ object: "event" })).toBe(HASH);
    const signature = { header: "x-signed", encoding: "hex", prefix: "" } as const;
    expect(stripe({ id: "evt_1", object: "event" }, { signature })).toBe(HASH);
    expect(idOf(null, { id: "evt_1", object: "event" })).toBe(HASH);
  });
});
