import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { failureReason } from "../../src/tasks/failure-reason.ts";
import { groupFailures, type Failure } from "../../src/tasks/failure-groups.ts";

describe("the reason of a failure", () => {
  test.for([
    ["timeout after 30 s", "timeout after <n> s"],
    ["timeout after 1.5 s at 12:30:01", "timeout after <n> s at <n>"],
    ["GET https://h/a/17: HTTP 503", "GET https://h/a/<n>: HTTP <n>"],
    ["no object 5f0c8b1e-8d5c-4c5e-9b7e-0d4f3c2b1a00\n  at x", "no object <id> at x"],
    ["commit 9fceb02d0ae598e95dc970b74767f19372d61af8 is gone", "commit <hex> is gone"],
    ["address 0x7ffe3a10c4d8", "address <hex>"],
    ["the facade was defaced", "the facade was defaced"],
    ["", ""],
  ])("of %j is %j", ([error = "", reason]) => {
    expect(failureReason(error)).toBe(reason);
  });

  test("has no digit, is short and well formed, and is its own reason", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 600 }), (error) => {
        const reason = failureReason(error);
        expect(reason).not.toMatch(/[0-9]/);
        expect(reason.length).toBeLessThanOrEqual(160);
        expect(reason.isWellFormed()).toBe(true);
        expect(failureReason(reason)).toBe(reason);
      }),
    );
  });

  test("is the same whatever the numbers are", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.uuid(), fc.uuid(), (a, b, c, d) => {
        const error = (n: number, id: string) => `job ${id} failed at line ${n}`;
        expect(failureReason(error(a, c))).toBe(failureReason(error(b, d)));
      }),
    );
  });
});

const anyFailure: fc.Arbitrary<Failure> = fc.record({
  id: fc.uuid(),
  kind: fc.constantFrom("a", "b"),
  state: fc.constantFrom("failed", "expired"),
  peerId: fc.constantFrom(null, "p", "q"),
  error: fc.constantFrom(null, "no disk 1", "no disk 2", "bad input"),
  endedAt: fc.nat({ max: 1_000 }),
});

describe("groups of failures", () => {
  test("AS86 hold each failure once, with others of its kind, state and reason", () => {
    fc.assert(
      fc.property(fc.array(anyFailure, { maxLength: 60 }), (all) => {
        const newestFirst = all.toSorted((a, b) => b.endedAt - a.endedAt);
        const groups = groupFailures(newestFirst);
        const members = (group: (typeof groups)[number]) =>
          newestFirst.filter(
            ({ kind, state, error }) =>
              kind === group.kind &&
              state === group.state &&
              failureReason(error ?? "") === group.reason,
          );
        expect(groups.reduce((sum, { count }) => sum + count, 0)).toBe(all.length);
        for (const group of groups) {
          const own = members(group);
          expect(group).toMatchObject({
            count: own.length,
            lastAt: own[0]?.endedAt,
            firstAt: own.at(-1)?.endedAt,
            taskIds: own.slice(0, 5).map(({ id }) => id),
          });
          const byPeers = own.filter(({ peerId }) => peerId !== null).length;
          expect(group.peers.reduce((sum, { count }) => sum + count, 0)).toBe(byPeers);
        }
        const counts = groups.map(({ count }) => count);
        expect(counts).toEqual(counts.toSorted((a, b) => b - a));
      }),
    );
  });
});
