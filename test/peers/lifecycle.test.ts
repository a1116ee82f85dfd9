import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isConnected, nextState, type PeerEvent } from "../../src/peers/lifecycle.ts";
import { PEER_STATES, type PeerState } from "../../src/protocol/http.ts";

const EVENTS = ["proved", "answered", "missed_answer", "gone", "revoked"] as const;

/** LV5's table, row by row as SPEC.md has it. */
const TABLE: { readonly [S in PeerState]: readonly PeerState[] } = {
  discovered: ["active", "discovered", "discovered", "discovered", "revoked"],
  active: ["active", "active", "suspect", "stale", "revoked"],
  suspect: ["active", "active", "suspect", "stale", "revoked"],
  stale: ["active", "stale", "stale", "stale", "revoked"],
  evicted: ["active", "evicted", "evicted", "evicted", "revoked"],
  revoked: ["revoked", "revoked", "revoked", "revoked", "revoked"],
};
const ROWS = PEER_STATES.flatMap((state) =>
  EVENTS.map((event, column) => [state, event, TABLE[state][column]] as const),
);

const anyEvents = fc.array(fc.constantFrom<PeerEvent>(...EVENTS), { maxLength: 12 });
const after = (state: PeerState, events: readonly PeerEvent[]): PeerState =>
  events.reduce(nextState, state);

describe("the lifecycle of a peer", () => {
  test.each(ROWS)("LV5 turns %s by %s into %s", (state, event, next) => {
    expect(nextState(state, event)).toBe(next);
  });

  test("LV5 is left by no event once a peer is revoked", () => {
    fc.assert(
      fc.property(fc.constantFrom(...PEER_STATES), anyEvents, anyEvents, (from, before, since) => {
        expect(after(from, [...before, "revoked", ...since])).toBe("revoked");
      }),
    );
  });

  test("LV5 connects a peer by a proof alone", () => {
    const unproved = anyEvents.map((events) => events.filter((event) => event !== "proved"));
    const apart = fc.constantFrom<PeerState>("discovered", "stale", "evicted", "revoked");
    fc.assert(
      fc.property(apart, unproved, (from, events) => {
        expect(isConnected(after(from, events))).toBe(false);
      }),
    );
  });

  test("LV5 counts exactly active and suspect as connected", () => {
    expect(PEER_STATES.filter(isConnected)).toEqual(["active", "suspect"]);
  });
});
