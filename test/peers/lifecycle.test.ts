import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MINUTE, SECOND, type Millis } from "../../src/base/clock.ts";
import { NO_FLAPS } from "../../src/peers/damping.ts";
import {
  isConnected,
  transition,
  PEER_EVENTS,
  type Lifecycle,
  type PeerEvent,
} from "../../src/peers/lifecycle.ts";
import { PEER_STATES, type PeerState } from "../../src/protocol/http.ts";

/** LV5's table, row by row as SPEC.md has it: proved, flapped, answered, missed_answer, gone, revoked, readmitted, retention_over. */
const TABLE: { readonly [S in PeerState]: readonly PeerState[] } = {
  discovered: [
    "active",
    "active",
    "discovered",
    "discovered",
    "discovered",
    "revoked",
    "discovered",
    "evicted",
  ],
  active: ["active", "active", "active", "suspect", "stale", "revoked", "active", "active"],
  suspect: ["active", "active", "active", "suspect", "stale", "revoked", "suspect", "suspect"],
  stale: ["active", "active", "stale", "stale", "stale", "revoked", "stale", "evicted"],
  evicted: ["active", "active", "evicted", "evicted", "evicted", "revoked", "evicted", "evicted"],
  revoked: ["revoked", "revoked", "revoked", "revoked", "revoked", "revoked", "stale", "revoked"],
};
const ROWS = PEER_STATES.flatMap((state) =>
  PEER_EVENTS.map((event, column) => [state, event, TABLE[state][column]] as const),
);

const START: Millis = 1_000_000;
const life = (state: PeerState): Lifecycle => ({ state, since: START, flaps: NO_FLAPS });
const anyEvents = fc.array(fc.constantFrom<PeerEvent>(...PEER_EVENTS), { maxLength: 12 });
const after = (state: PeerState, events: readonly PeerEvent[]): PeerState =>
  events.reduce((before, event) => transition(before, event, START + SECOND).lifecycle, life(state))
    .state;

/** A peer that fell silent so often, a second apart, and is suspect since the last time. */
const flapping = (times: number): Lifecycle => {
  let now = START;
  let peer = life("active");
  for (let flap = 0; flap < times; flap++) {
    peer = { ...transition({ ...peer, state: "active" }, "missed_answer", now).lifecycle };
    now += SECOND;
  }
  return peer;
};

/** After how many seconds an answer restores the peer, in steps of 30 s. The penalty itself decays meanwhile. */
function restoredAfter({ state, ...rest }: Lifecycle): number {
  for (let seconds = 0; ; seconds += 30) {
    const now = rest.since + seconds * SECOND;
    if (transition({ state, ...rest }, "answered", now).lifecycle.state === "active")
      return seconds;
  }
}

describe("the lifecycle of a peer", () => {
  test.each(ROWS)("LV5 in state %s the event %s leads to %s", (state, event, next) => {
    expect(transition(life(state), event, START + SECOND).lifecycle.state).toBe(next);
  });

  test("LV5 an event that changes the state sets its time; one that does not has no effects", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...PEER_STATES),
        fc.constantFrom(...PEER_EVENTS),
        (state, event) => {
          const { lifecycle: next, effects } = transition(life(state), event, START + SECOND);
          const proved = event === "proved" || event === "flapped";
          const changed = next.state !== state || proved;
          expect(next.since).toBe(changed && state !== "revoked" ? START + SECOND : next.since);
          if (next.state === state && !(proved && state === "active"))
            expect([next, effects]).toEqual([life(state), []]);
        },
      ),
    );
  });

  test("LV5 only readmission ends the state revoked", () => {
    const unpardoned = anyEvents.map((events) => events.filter((event) => event !== "readmitted"));
    fc.assert(
      fc.property(fc.constantFrom(...PEER_STATES), anyEvents, unpardoned, (from, before, since) => {
        expect(after(from, [...before, "revoked", ...since])).toBe("revoked");
      }),
    );
  });

  test("LV5 only a proof connects a peer", () => {
    const unproved = anyEvents.map((events) =>
      events.filter((event) => event !== "proved" && event !== "flapped"),
    );
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

  test("LV7 releases leases and withdraws the pointer exactly when a connected peer disconnects", () => {
    for (const state of PEER_STATES)
      for (const event of PEER_EVENTS) {
        const { lifecycle: next, effects } = transition(life(state), event, START + SECOND);
        const parted = isConnected(state) && !isConnected(next.state);
        if (parted) expect(effects).toEqual(["release_leases", "withdraw", "offer_work"]);
        else if (event !== "revoked") expect(effects).not.toContain("release_leases");
      }
  });
});

describe("a peer that flaps", () => {
  test("GP41 is active at first, then begins as suspect and unpublished, for longer each time, and is published when it is active", () => {
    let peer = life("stale");
    const held: number[] = [];
    for (let flap = 1; flap <= 8; flap++) {
      const { lifecycle, effects } = transition(peer, "flapped", START);
      expect(lifecycle.state).toBe(flap === 1 ? "active" : "suspect");
      expect(effects).toEqual(flap === 1 ? ["publish", "offer_work"] : []);
      held.push(restoredAfter(lifecycle));
      peer = { ...lifecycle, state: "stale" };
    }
    expect(held.slice(0, 3)).toEqual([0, 30, 60]);
    expect(held).toEqual(held.toSorted((a, b) => a - b));
    expect(held.at(-1)).toBeLessThanOrEqual(15 * 60);
    const { effects } = transition({ ...peer, state: "suspect" }, "answered", START + 15 * MINUTE);
    expect(effects).toEqual(["publish", "offer_work"]);
  });

  test("LV9 is restored by an answer the first time", () => {
    expect(transition(flapping(1), "answered", START).lifecycle.state).toBe("active");
  });

  test("LV9 stays suspect for longer each time, up to 15 minutes, although it answers", () => {
    const stays = [2, 3, 4, 5, 8, 20].map((times) => {
      const peer = flapping(times);
      let stay = 0;
      while (transition(peer, "answered", peer.since + stay).lifecycle.state === "suspect")
        stay += SECOND;
      return stay;
    });
    expect(stays).toEqual(stays.toSorted((a, b) => a - b));
    expect(new Set(stays).size).toBeGreaterThan(3);
    expect(stays[0]).toBeGreaterThan(20 * SECOND);
    expect(stays.at(-1)).toBeLessThanOrEqual(15 * MINUTE);
  });

  test("LV9 loses its penalty with time: two hours later an answer restores it at once", () => {
    const forgiven = { ...flapping(6), state: "active" } as const;
    const again = transition(forgiven, "missed_answer", START + 120 * MINUTE).lifecycle;
    expect(transition(again, "answered", START + 120 * MINUTE).lifecycle.state).toBe("active");
  });
});
