import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  areWeights,
  NEUTRAL,
  parts,
  score,
  WEIGHTS,
  type Metrics,
  type Weights,
} from "../../src/scoring/score.ts";

const UNKNOWN: Metrics = {
  rttMs: null,
  hops: null,
  hopsKnown: 0,
  direct: false,
  geoKm: null,
  successes: 0,
  failures: 0,
  uptime: null,
};
const MEASURED_HOPS = { hopsKnown: 1, direct: true } as const;
const BEST = {
  ...MEASURED_HOPS,
  rttMs: 0,
  hops: 1,
  geoKm: 0,
  successes: 1e9,
  failures: 0,
  uptime: 1,
} as const;
const WORST = {
  rttMs: 1e12,
  ...MEASURED_HOPS,
  hops: 1e9,
  geoKm: 1e12,
  successes: 0,
  failures: 1e9,
  uptime: 0,
} as const;

/** Any number at all, negative and not finite ones too: what a clock that jumps or a broken platform may yield. */
const anyNumber = fc.option(fc.double());
const anyCount = fc.nat({ max: 1e9 });
const anyMetrics: fc.Arbitrary<Metrics> = fc.record({
  rttMs: anyNumber,
  hops: anyNumber,
  hopsKnown: fc.double({ min: 0, max: 1, noNaN: true }),
  direct: fc.boolean(),
  geoKm: anyNumber,
  successes: anyCount,
  failures: anyCount,
  uptime: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
});

const finite = fc.double({ min: -1e6, max: 1e6, noNaN: true });
const twoOf = (arbitrary: fc.Arbitrary<number>) =>
  fc.tuple(arbitrary, arbitrary).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);

describe("a score", () => {
  test("SC1 and its confidence lie in 0 to 1 and are never NaN, for any metrics", () => {
    fc.assert(
      fc.property(anyMetrics, (metrics) => {
        const { score: value, confidence } = score(metrics);
        expect(value >= 0 && value <= 1).toBe(true);
        expect(confidence >= 0 && confidence <= 1).toBe(true);
      }),
    );
  });

  test("SC1 is near 1 for the best possible peer, and near 0 for the worst", () => {
    expect(score(BEST).score).toBeCloseTo(1, 6);
    expect(score(WORST).score).toBeCloseTo(0, 6);
  });

  test.for(["rttMs", "hops", "geoKm"] as const)("SC2 never falls when %s falls", (metric) => {
    fc.assert(
      fc.property(anyMetrics, twoOf(finite), (metrics, [less, more]) => {
        const better = score({ ...metrics, [metric]: less }).score;
        expect(better).toBeGreaterThanOrEqual(score({ ...metrics, [metric]: more }).score);
      }),
    );
  });

  test("SC2 never falls when successes grow, or failures shrink", () => {
    fc.assert(
      fc.property(anyMetrics, twoOf(anyCount), (metrics, [less, more]) => {
        const value = (change: Partial<Metrics>) => score({ ...metrics, ...change }).score;
        expect(value({ successes: more })).toBeGreaterThanOrEqual(value({ successes: less }));
        expect(value({ failures: less })).toBeGreaterThanOrEqual(value({ failures: more }));
      }),
    );
  });

  test("SC2 rises by a clear improvement of any metric", () => {
    const middling: Metrics = {
      ...MEASURED_HOPS,
      rttMs: 100,
      hops: 3,
      geoKm: 3_000,
      successes: 5,
      failures: 5,
      uptime: 0.5,
    };
    const improvements = [
      { rttMs: 50 },
      { hops: 2 },
      { geoKm: 1_000 },
      { successes: 6 },
      { failures: 4 },
      { uptime: 0.6 },
    ];
    for (const better of improvements)
      expect(score({ ...middling, ...better }).score).toBeGreaterThan(score(middling).score);
  });
});

/** Weights that sum to 1, some of them 0. */
const anyWeights: fc.Arbitrary<Weights> = fc
  .tuple(fc.nat(100), fc.nat(100), fc.nat(100), fc.integer({ min: 1, max: 100 }))
  .map(([latency, reliability, hops, distance]) => {
    const sum = latency + reliability + hops + distance;
    return {
      latency: latency / sum,
      reliability: reliability / sum,
      hops: hops / sum,
      distance: distance / sum,
    };
  });

describe("configured weights", () => {
  test("SC8 keep the score in 0 to 1 and monotone, for any valid weights", () => {
    fc.assert(
      fc.property(anyMetrics, anyWeights, twoOf(finite), (metrics, weights, [less, more]) => {
        expect(areWeights(weights)).toBe(true);
        const { score: value, confidence } = score(metrics, weights);
        expect(value >= 0 && value <= 1 && confidence >= 0 && confidence <= 1).toBe(true);
        expect(score({ ...metrics, rttMs: less }, weights).score).toBeGreaterThanOrEqual(
          score({ ...metrics, rttMs: more }, weights).score,
        );
      }),
    );
  });

  test("SC8 are invalid when they do not sum to 1, or one is negative or NaN", () => {
    expect(areWeights(WEIGHTS)).toBe(true);
    expect(areWeights({ ...WEIGHTS, hops: 0.3 })).toBe(false);
    expect(areWeights({ latency: 1.5, reliability: -0.5, hops: 0, distance: 0 })).toBe(false);
    expect(areWeights({ ...WEIGHTS, hops: Number.NaN })).toBe(false);
  });
});

describe("uptime", () => {
  test("SC13 lowers the reliability of a disconnected peer, by half for one that is never connected", () => {
    const always = parts({ ...BEST, uptime: 1 }).reliability.normalised;
    expect(parts({ ...BEST, uptime: 0 }).reliability.normalised).toBeCloseTo(always / 2, 9);
    expect(parts({ ...BEST, uptime: 0.5 }).reliability.normalised).toBeCloseTo(0.75 * always, 9);
    expect(parts({ ...BEST, uptime: null }).reliability.normalised).toBe(always);
  });
});

describe("the parts of a score", () => {
  test("SC9 sum to the score; each is its weight times its normalized value, which lies in 0 to 1", () => {
    fc.assert(
      fc.property(anyMetrics, anyWeights, (metrics, weights) => {
        const all = Object.values(parts(metrics, weights));
        for (const { normalised, weight, part } of all) {
          expect(normalised >= 0 && normalised <= 1).toBe(true);
          expect(part).toBe(weight * normalised);
        }
        const sum = all.reduce((total, { part }) => total + part, 0);
        expect(score(metrics, weights).score).toBeCloseTo(sum, 12);
      }),
    );
  });

  test("SC9 show each measured value, and null where nothing was measured", () => {
    expect(parts({ ...UNKNOWN, rttMs: 80 }).latency).toMatchObject({ raw: 80, known: 1 });
    expect(parts(UNKNOWN).latency).toMatchObject({ raw: null, normalised: NEUTRAL, known: 0 });
    expect(parts({ ...UNKNOWN, successes: 3, failures: 1 }).reliability.raw).toBe(0.75);
    expect(parts(UNKNOWN).reliability.raw).toBeNull();
  });
});

describe("an unmeasured metric", () => {
  test("SC3 counts as one half, and a peer without measurements has a confidence of 0", () => {
    expect(NEUTRAL).toBe(0.5);
    expect(score(UNKNOWN)).toEqual({ score: expect.closeTo(0.5, 12), confidence: 0 });
  });

  test.for(["rttMs", "hops", "geoKm"] as const)("SC3 %s is neither best nor worst", (metric) => {
    const unknown = score({ ...BEST, direct: false, [metric]: null }).score;
    expect(unknown).toBeLessThan(score(BEST).score);
    expect(unknown).toBeGreaterThan(score({ ...BEST, [metric]: WORST[metric] }).score);
  });

  test("SC3 lowers the confidence by its weight, and so does NaN", () => {
    const { confidence } = score(BEST);
    expect(confidence).toBeCloseTo(1, 6);
    expect(score({ ...BEST, rttMs: null }).confidence).toBeCloseTo(confidence - WEIGHTS.latency, 9);
    const noHops = { ...BEST, hops: null, direct: false };
    expect(score(noHops).confidence).toBeCloseTo(confidence - WEIGHTS.hops, 9);
    expect(score({ ...BEST, geoKm: Number.NaN })).toEqual(score({ ...BEST, geoKm: null }));
  });

  test("SC3 the confidence in the reliability grows with every outcome, good or bad", () => {
    const confidences = [0, 1, 2, 10, 100].map(
      (failures) => score({ ...UNKNOWN, failures }).confidence,
    );
    expect(confidences).toEqual([...new Set(confidences)].toSorted((a, b) => a - b));
    expect(score({ ...UNKNOWN, successes: 10 }).confidence).toBe(confidences[3]);
  });
});

describe("the weights", () => {
  test("SC4 are 0.35 for latency and reliability, 0.2 for hops, 0.1 for distance", () => {
    expect(WEIGHTS).toEqual({ latency: 0.35, reliability: 0.35, hops: 0.2, distance: 0.1 });
  });

  test("SC4 are the difference of the score between the worst and the best value of a metric", () => {
    const swing = (from: Partial<Metrics>, to: Partial<Metrics>) =>
      score({ ...UNKNOWN, ...to }).score - score({ ...UNKNOWN, ...from }).score;
    expect(swing({ rttMs: 1e12 }, { rttMs: 0 })).toBeCloseTo(0.35, 6);
    expect(swing({ failures: 1e9 }, { successes: 1e9 })).toBeCloseTo(0.35, 6);
    const known = (hops: number) => ({ hops, hopsKnown: 1 });
    expect(swing(known(1e9), known(1))).toBeCloseTo(0.2, 6);
    expect(swing({ geoKm: 1e12 }, { geoKm: 0 })).toBeCloseTo(0.1, 6);
  });

  test("normalize 100 ms, 13 hops, 3,000 km and as many failures as successes to one half", () => {
    const hops = { ...MEASURED_HOPS, hops: 13 };
    const half = { ...hops, rttMs: 100, geoKm: 3_000, successes: 3, failures: 3, uptime: null };
    expect(score(half).score).toBeCloseTo(0.5, 12);
  });
});

describe("hops", () => {
  test("SC15 of a direct session are shown as 1 with low confidence, and do not change the score", () => {
    fc.assert(
      fc.property(anyMetrics, anyWeights, (metrics, weights) => {
        const unknown = { ...metrics, hops: null, direct: false };
        const direct = { ...metrics, hops: null, direct: true };
        expect(score(direct, weights).score).toBe(score(unknown, weights).score);
      }),
    );
    expect(parts({ ...UNKNOWN, direct: true }).hops).toMatchObject({ raw: 1, known: 0.1 });
  });

  test("SC15 a peer with unknown hops ranks between peers with more and with fewer than 13, and equals one with 13", () => {
    const of = (hops: number | null) => score({ ...BEST, hopsKnown: 0.5, hops }).score;
    expect(of(null)).toBeCloseTo(of(13), 12);
    expect(of(12)).toBeGreaterThan(of(null));
    expect(of(14)).toBeLessThan(of(null));
  });

  test("SC15 count only as far as they are known", () => {
    const gain = (hopsKnown: number) => parts({ ...BEST, hopsKnown }).hops.normalised - NEUTRAL;
    expect(gain(0)).toBe(0);
    expect(gain(0.5)).toBeCloseTo(gain(1) / 2, 12);
  });
});
