import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MINUTE, SECOND } from "../../src/base/clock.ts";
import { keyInUseFault, tookOver } from "../../src/peers/key-contest.ts";
import { aPeer } from "../contracts/records.ts";

const contested = aPeer({ state: "active", protocol: "muster/2", tookOver: true });
const plain = { protocol: "go-p2p/1.0", speaksMuster: false } as const;
const newcomer = { protocol: "muster/2" } as const;

describe("a session of a key that another session has", () => {
  test("GP40 is refused over go-p2p, too, if that session is a plain node's, whether it is active or suspect", () => {
    for (const state of ["active", "suspect"] as const) {
      const known = aPeer({ ...contested, ...plain, state });
      expect(keyInUseFault(known, plain, 0)).toMatchObject({ code: "key_in_use" });
    }
  });

  test("HS24 is refused only if that session has taken over itself, answers, and both speak one protocol", () => {
    expect(keyInUseFault(contested, newcomer, 0)).toMatchObject({ code: "key_in_use" });
    const others = [
      [null, newcomer],
      [aPeer({ ...contested, tookOver: false }), newcomer],
      [aPeer({ ...contested, state: "suspect" }), newcomer],
      [aPeer({ ...contested, state: "stale" }), newcomer],
      [aPeer({ ...contested, ...plain }), newcomer],
      [aPeer({ ...contested, ...plain, tookOver: false }), plain],
      [aPeer({ ...contested, ...plain, state: "stale" }), plain],
      [aPeer({ ...contested, ...plain, speaksMuster: true }), plain],
      [aPeer({ ...contested, ...plain }), { ...plain, olderSilent: true }],
      [contested, { protocol: "go-p2p/1.0" } as const],
      [contested, { ...newcomer, olderSilent: true }],
    ] as const;
    for (const [known, which] of others) expect(keyInUseFault(known, which, 0)).toBeNull();
  });

  test("HS24 is told to try again after as long as the older session has lasted, between 5 s and 5 min", () => {
    fc.assert(
      fc.property(fc.nat(60 * MINUTE), (age) => {
        const { retryAfter = 0 } = keyInUseFault(contested, newcomer, age) ?? {};
        expect(retryAfter).toBe(
          Math.ceil(Math.min(Math.max(age, 5 * SECOND), 5 * MINUTE) / SECOND),
        );
      }),
    );
  });

  test("HS24 takes over if it ends a connected session, unless that one was silent and had not taken over itself", () => {
    const single = aPeer({ ...contested, tookOver: false });
    expect(tookOver(null, newcomer)).toBe(false);
    expect(tookOver(single, newcomer)).toBe(true);
    expect(tookOver(aPeer({ ...single, state: "stale" }), newcomer)).toBe(false);
    expect(tookOver(single, { ...newcomer, olderSilent: true })).toBe(false);
    expect(tookOver(contested, { ...newcomer, olderSilent: true })).toBe(true);
  });
});
