import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DAY, MINUTE, SECOND, type Millis } from "../../src/base/clock.ts";
import {
  recordFailure,
  groupsOf,
  isCorrelated,
  QUIET,
  type Count,
  type FailureWindow,
} from "../../src/peers/correlated-failures.ts";

const START: Millis = 1_760_000_000_000;

/** So many peers of a group fall silent, one after another within `within`. */
function silence(
  silent: number,
  members: number,
  within: Millis = SECOND,
): { silence: FailureWindow; counts: number } {
  let state = QUIET;
  let counts = 0;
  for (let peer = 1; peer <= silent; peer++) {
    const count = (): Count => {
      counts++;
      return { members, silent: peer };
    };
    state = recordFailure(state, START + Math.floor((peer * within) / silent), count);
  }
  return { silence: state, counts };
}

describe("failures of a group's peers", () => {
  test.each([
    [16, 100, true],
    [15, 100, false],
    [5, 30, true],
    [4, 4, false],
    [5, 34, false],
    [3_001, 20_000, true],
    [3_000, 20_000, false],
  ])(
    "LV12 of %d among %d peers of a network within a minute: of masses %s",
    (silent, members, mass) => {
      expect(isCorrelated(silence(silent, members).silence, START + SECOND)).toBe(mass);
    },
  );

  test("LV12 are not correlated when they are spread over hours", () => {
    expect(isCorrelated(silence(50, 100, 300 * MINUTE).silence, START + 300 * MINUTE)).toBe(false);
  });

  test("LV12 are not correlated when a single peer flaps", () => {
    let state = QUIET;
    for (let flap = 0; flap < 100; flap++)
      state = recordFailure(state, START + flap, () => ({ members: 20, silent: 1 }));
    expect(isCorrelated(state, START + SECOND)).toBe(false);
  });

  test("LV12 stay correlated for five minutes after the last peer fell silent", () => {
    const { silence: state } = silence(20, 100);
    const again = recordFailure(state, START + 4 * MINUTE, () => ({ members: 100, silent: 1 }));
    expect(isCorrelated(again, START + 8 * MINUTE)).toBe(true);
    expect(isCorrelated(again, START + 9 * MINUTE)).toBe(false);
  });

  test("LV12 cause few counts of the group, however many peers fall silent", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 5, max: 2_000 }),
        fc.integer({ min: 5, max: 20_000 }),
        (silent, members) => {
          expect(silence(Math.min(silent, members), members).counts).toBeLessThan(8);
        },
      ),
    );
  });
});

describe("failures that go on", () => {
  /** For how long failures every so often count as correlated within a time. */
  function correlatedWithin(duration: Millis, every: Millis, peers: number): Millis {
    let state = QUIET;
    let correlated = 0;
    let failing = 0;
    for (let now = START; now < START + duration; now += 10 * SECOND) {
      if ((now - START) % every === 0)
        for (failing = 0; failing < peers; failing++)
          state = recordFailure(state, now, () => ({ members: peers, silent: peers }));
      if (isCorrelated(state, now)) correlated += 10 * SECOND;
    }
    return correlated;
  }

  test.for([10 * SECOND, MINUTE, 4 * MINUTE, 20 * MINUTE])(
    "LV30 a group that fails every %d ms counts as correlated for 30 min in six hours at most",
    (every) => {
      const days = 3;
      const correlated = correlatedWithin(days * DAY, every, 6);
      expect(correlated).toBeGreaterThan(0);
      expect(correlated).toBeLessThanOrEqual((days * 4 + 1) * 30 * MINUTE);
    },
  );

  test("LV30 a second failure in the same period still counts as correlated while time is left", () => {
    const once = silence(20, 100).silence;
    let again = once;
    for (let peer = 1; peer <= 20; peer++)
      again = recordFailure(again, START + 60 * MINUTE + peer, () => ({
        members: 100,
        silent: 20,
      }));
    expect(isCorrelated(again, START + 62 * MINUTE)).toBe(true);
  });
});

describe("the groups of a peer", () => {
  test("LV12 are its network and its location; peers of unknown origin form one group", () => {
    expect(groupsOf({ network: "AS1", colo: "ZRH" }, true)).toEqual([
      { by: "network", name: "AS1", listed: true },
      { by: "colo", name: "ZRH", listed: true },
    ]);
    expect(groupsOf({ network: "", colo: "ZRH" }, false)).toEqual([
      { by: "colo", name: "ZRH", listed: false },
    ]);
    expect(groupsOf({ network: "", colo: "" }, false)).toEqual([
      { by: "network", name: "", listed: false },
    ]);
  });
});
