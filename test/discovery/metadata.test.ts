import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../../src/base/canonical-json.ts";
import type { JsonObject } from "../../src/base/json.ts";
import {
  ANONYMITY_MIN,
  kAnonymized,
  publicAttributes,
  mayMatch,
  type PeerAttributes,
} from "../../src/discovery/metadata.ts";
import { regionOf } from "../../src/discovery/region.ts";
import { PUBLIC_FIELDS, REGIONS } from "../../src/protocol/discovery.ts";
import type { PointerFilter } from "../../src/protocol/http.ts";
import { ROLES } from "../../src/protocol/messages.ts";
import { openRegistry } from "../../src/registry/registry.ts";
import { aPointer } from "../contracts/records.ts";
import { nodeSql } from "../node-sql.ts";

const anyFacts: fc.Arbitrary<PeerAttributes> = fc.record({
  role: fc.constantFrom(...ROLES),
  capabilities: fc.subarray(["gpu", "arch=arm64", "region:eu"]),
  kinds: fc.constantFrom(["*"], ["echo"], ["render", "echo"], []),
  region: fc.option(fc.constantFrom("weur" as const, "oc" as const)),
  score: fc.double({ min: 0, max: 1, noNaN: true }),
});
const anyFields = fc.subarray([...PUBLIC_FIELDS]);
const anyFilter: fc.Arbitrary<PointerFilter> = fc.record(
  {
    role: fc.constantFrom(...ROLES),
    capability: fc.constantFrom("gpu", "arch=arm64"),
    region: fc.constantFrom("weur" as const, "oc" as const),
    min_score: fc.double({ min: 0, max: 1, noNaN: true }),
  },
  { requiredKeys: [] },
);

describe("public metadata", () => {
  test("DS2 public metadata is empty unless the operator configures attributes", () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        expect(publicAttributes(facts, [])).toEqual({});
      }),
    );
  });

  test("DS15 public metadata contains the configured attributes, with the score in tenths", () => {
    const facts: PeerAttributes = {
      role: "dual",
      capabilities: ["gpu", "b"],
      kinds: ["render", "echo"],
      region: "oc",
      score: 0.879,
    };
    expect(publicAttributes(facts, PUBLIC_FIELDS)).toEqual({
      role: "dual",
      capabilities: ["b", "gpu"],
      kinds: ["echo", "render"],
      region: "oc",
      score: 0.8,
    });
    expect(publicAttributes({ ...facts, region: null }, ["region", "role"])).toEqual({
      role: "dual",
    });
  });

  test("DS15 each shown combination is shared by at least five peers, and each shown attribute is true", () => {
    fc.assert(
      fc.property(fc.array(anyFacts, { maxLength: 60 }), anyFields, (peers, fields) => {
        const details = peers.map((facts) => publicAttributes(facts, fields));
        const shown = kAnonymized(details);
        const groups = Map.groupBy(shown, canonicalJson);
        for (const [combination, { length }] of groups)
          if (combination !== "{}") expect(length).toBeGreaterThanOrEqual(ANONYMITY_MIN);
        shown.forEach((metadata, i) => expect(details[i]).toMatchObject(metadata));
      }),
    );
  });

  test("DS15 public metadata keeps as many attributes as at least five peers share", () => {
    const peer = (score: number): JsonObject => ({ role: "worker", score });
    const shown = kAnonymized([0.1, 0.1, 0.1, 0.1, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6].map(peer));
    expect(shown.slice(0, 5)).toEqual(Array(5).fill(peer(0.1)));
    for (const metadata of shown.slice(5)) expect(metadata).toEqual({ role: "worker" });
    expect(kAnonymized([peer(0.1)])).toEqual([{}]);
  });
});

describe("a discovery filter", () => {
  test("DS23 every matching peer passes the filter, however many of its attributes are public", () => {
    fc.assert(
      fc.property(anyFacts, anyFields, anyFilter, (facts, fields, filter) => {
        const matches =
          (filter.role ?? facts.role) === facts.role &&
          (filter.region ?? facts.region) === facts.region &&
          (filter.capability === undefined || facts.capabilities.includes(filter.capability)) &&
          facts.score >= (filter.min_score ?? 0);
        if (matches) expect(mayMatch(publicAttributes(facts, fields), filter)).toBe(true);
      }),
    );
  });

  test("DS23 peers whose public metadata contradicts the filter are left out", () => {
    const metadata = { role: "worker", capabilities: ["gpu"], region: "oc", score: 0.5 };
    for (const filter of [
      { role: "dual" },
      { capability: "x" },
      { region: "me" },
      { min_score: 0.7 },
    ] as const) {
      expect(mayMatch(metadata, filter)).toBe(false);
      expect(mayMatch({}, filter)).toBe(true);
    }
  });

  test("DS23 the filter gives the same result in SQL and in TypeScript", () => {
    fc.assert(
      fc.property(
        fc.array(anyFacts, { maxLength: 12 }),
        anyFields,
        anyFilter,
        (peers, fields, filter) => {
          const { pointers } = openRegistry(nodeSql());
          const rows = peers.map((facts, i) =>
            aPointer({
              id: `${i}`.padStart(2, "0"),
              peerId: `${i}`,
              seq: i + 1,
              metadata: publicAttributes(facts, fields),
            }),
          );
          for (const row of rows) pointers.put(row);
          const expected = rows
            .filter(({ metadata }) => mayMatch(metadata, filter))
            .map(({ id }) => id);
          const page = { now: 0, filter, limit: 99 };
          expect(pointers.list(page, "").map(({ id }) => id)).toEqual(expected);
          const changed = pointers.changes(page, 0);
          expect(changed).toHaveLength(rows.length);
          expect(changed.filter(({ matches }) => matches).map(({ id }) => id)).toEqual(expected);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe("a region", () => {
  test.for([
    ["Berlin", 52.5, 13.4, "weur"],
    ["Kyiv", 50.4, 30.5, "eeur"],
    ["New York", 40.7, -74, "enam"],
    ["San Francisco", 37.8, -122.4, "wnam"],
    ["São Paulo", -23.5, -46.6, "sam"],
    ["Tokyo", 35.7, 139.7, "apac"],
    ["Mumbai", 19, 72.8, "apac"],
    ["Sydney", -33.9, 151.2, "oc"],
    ["Lagos", 6.5, 3.4, "afr"],
    ["Johannesburg", -26.2, 28, "afr"],
    ["Dubai", 25.2, 55.3, "me"],
  ] as const)("DS15 the region of %s (%s, %s) is %s", ([, latitude, longitude, region]) => {
    expect(regionOf({ latitude, longitude })).toBe(region);
  });

  test("is null for an unknown place, and one of the nine regions for any other", () => {
    expect(regionOf(null)).toBeNull();
    fc.assert(
      fc.property(
        fc.double({ min: -90, max: 90, noNaN: true }),
        fc.double({ min: -180, max: 180, noNaN: true }),
        (latitude, longitude) => {
          expect(REGIONS).toContain(regionOf({ latitude, longitude }));
        },
      ),
    );
  });
});
