import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  conditionOf,
  matches,
  PEER_COLUMNS,
  peersByCondition,
  sortedPeers,
} from "../../dashboard/src/model/peer-table.ts";
import { hashOf, placeOf } from "../../dashboard/src/model/route.ts";
import { visibleRows } from "../../dashboard/src/model/visible-rows.ts";
import { samplePeer } from "./samples.ts";

const ALL = { text: "", state: "", role: "" };
const CIRCUIT = {
  kind: null,
  state: "open",
  reason: "failures",
  rests_until: "2026-01-01T00:00:00Z",
} as const;

describe("a long list", () => {
  it("DB10 has on the page all rows in sight, and not many more, however long it is", () => {
    fc.assert(
      fc.property(
        fc.nat(20_000),
        fc.nat(900_000),
        fc.integer({ min: 1, max: 2_000 }),
        (count, top, height) => {
          const rowHeight = 44;
          const { from, to } = visibleRows({ top, height }, rowHeight, count);
          expect(from).toBeGreaterThanOrEqual(0);
          expect(to).toBeLessThanOrEqual(count);
          expect(to - from).toBeLessThanOrEqual(height / rowHeight + 30);
          const firstSeen = Math.floor(top / rowHeight);
          const lastSeen = Math.floor((top + height - 1) / rowHeight);
          if (lastSeen < count) {
            expect(from).toBeLessThanOrEqual(firstSeen);
            expect(to).toBeGreaterThan(lastSeen);
          }
        },
      ),
    );
  });
});

describe("the table of peers", () => {
  it("DB11 finds a peer by parts of its name, ID, kinds, labels and address, in any case", () => {
    const peer = samplePeer({
      id: "ab".repeat(16),
      name: "Frankfurt-01",
      kinds: ["resize"],
      capabilities: ["zone=a"],
      address: "192.0.2.7",
    });
    for (const text of ["frankfurt", "ABAB", "resize zone=a", "192.0", " "])
      expect([text, matches(peer, { ...ALL, text })]).toEqual([text, true]);
    for (const text of ["berlin", "resize zone=b"])
      expect([text, matches(peer, { ...ALL, text })]).toEqual([text, false]);
  });

  it("DB11 filters by state, by what the operator decided, by rest and by role", () => {
    const cordoned = samplePeer({ scheduling: "cordoned" });
    const resting = samplePeer({ circuits: [CIRCUIT] });
    const restingForOneKind = samplePeer({ circuits: [{ ...CIRCUIT, kind: "resize" }] });
    const stale = samplePeer({ connected: false, state: "stale", scheduling: "cordoned" });
    expect([cordoned, resting, restingForOneKind, stale].map(conditionOf)).toEqual([
      "cordoned",
      "resting",
      "active",
      "stale",
    ]);
    expect(matches(cordoned, { ...ALL, state: "cordoned" })).toBe(true);
    expect(matches(cordoned, { ...ALL, state: "active" })).toBe(true);
    expect(matches(restingForOneKind, { ...ALL, state: "resting" })).toBe(true);
    expect(matches(stale, { ...ALL, state: "connected" })).toBe(false);
    expect(matches(stale, { ...ALL, role: "controller" })).toBe(false);
  });

  it("DB11 sorts by every column in both directions, with unknown values last, and never changes places by chance", () => {
    const peer = fc
      .record({
        id: fc.stringMatching(/^[0-9a-f]{32}$/),
        name: fc.constantFrom("", "a", "B", "c"),
        ping_ms: fc.option(fc.nat(500)),
        score: fc.double({ min: 0, max: 1, noNaN: true }),
        slots: fc.nat(4),
        tasks: fc.nat(4),
        last_seen: fc.option(fc.constantFrom("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")),
      })
      .map(samplePeer);
    fc.assert(
      fc.property(
        fc.uniqueArray(peer, { selector: ({ id }) => id, maxLength: 20 }),
        fc.constantFrom(...PEER_COLUMNS),
        fc.boolean(),
        (peers, by, descending) => {
          const sorted = sortedPeers(peers, { by, descending });
          expect(new Set(sorted)).toEqual(new Set(peers));
          expect(sortedPeers(peers.toReversed(), { by, descending })).toEqual(sorted);
          if (by !== "ping") return;
          const pings = sorted.map(({ ping_ms: ping }) => ping);
          const known = pings.filter((ping) => ping !== null);
          expect(pings.slice(0, known.length)).toEqual(
            known.toSorted((a, b) => (descending ? b - a : a - b)),
          );
        },
      ),
    );
  });

  it("counts the peers in each condition", () => {
    const peers = [samplePeer(), samplePeer(), samplePeer({ state: "suspect" })];
    expect([...peersByCondition(peers)]).toEqual([
      ["suspect", 1],
      ["active", 2],
    ]);
  });
});

describe("the place on the page", () => {
  it("is the same after it was written and read, whatever is in it", () => {
    const text = fc.string({ minLength: 1 });
    fc.assert(
      fc.property(fc.array(text, { maxLength: 3 }), text, (path, value) => {
        expect(placeOf(hashOf(path, { text: value, empty: "" }))).toEqual({
          path,
          query: { text: value },
        });
      }),
    );
  });

  it("can be read from an address that was typed by hand", () => {
    expect(placeOf("")).toEqual({ path: [], query: {} });
    expect(placeOf("#/peers/%zz?text")).toEqual({ path: ["peers", "%zz"], query: { text: "" } });
  });
});
