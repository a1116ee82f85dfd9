import * as fc from "fast-check";
import { expect, test } from "vitest";
import { MessageAge } from "../../src/client/peer/message-age.ts";

const stamp = (ms: number): string => new Date(ms).toISOString();
const MESH = Date.parse("2026-01-01T00:00:00Z");

test("AS63 a message that came at once is new, whatever the two clocks say", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -1e9, max: 1e9 }),
      fc.array(fc.record({ gap: fc.nat({ max: 300_000 }), delay: fc.nat({ max: 200 }) }), {
        minLength: 1,
        maxLength: 50,
      }),
      (offset, messages) => {
        let local = offset + 1e10;
        const age = new MessageAge(() => local);
        for (const { gap, delay } of messages) {
          local += gap;
          expect(age.arrived(stamp(MESH + local - offset - delay))).toBeLessThanOrEqual(200);
        }
      },
    ),
  );
});

test("AS63 messages that a stall held back are as old as they are, until all have come", () => {
  let local = 0;
  const age = new MessageAge(() => local);
  for (; local < 100_000; local += 10_000) age.arrived(stamp(MESH + local - 20));
  const sent = local;
  local += 600_000; // the process was stopped for ten minutes
  for (const later of [0, 5_000, 60_000, 599_000]) {
    const delay = age.arrived(stamp(MESH + sent + later - 20));
    expect(delay).toBe(600_000 - later);
  }
  expect(age.arrived(stamp(MESH + local - 25))).toBe(5);
});

test("AS63 a timestamp that is no time says nothing", () => {
  expect(new MessageAge(() => 0).arrived("yesterday")).toBe(0);
});
