import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  countOutcome,
  failureRisk,
  HALF_LIFE,
  noOutcomes,
  outcomesAt,
  outcomesKnown,
  type OutcomeKind,
  type Outcomes,
} from "../../src/scoring/outcomes.ts";

const KINDS: readonly OutcomeKind[] = ["success", "failure", "timeout", "refusal"];
const PRIOR = { successes: 8, failures: 0.3 };

const anyTime = fc.integer({ min: 0, max: 30 * 24 * 3_600_000 });
/** What a history of outcomes comes to, in whatever order its clock tells them. */
const anyOutcomes: fc.Arbitrary<Outcomes> = fc
  .array(fc.tuple(fc.constantFrom(...KINDS), anyTime), { maxLength: 40 })
  .map((history) =>
    history.reduce((outcomes, [kind, at]) => countOutcome(outcomes, kind, at), noOutcomes(0)),
  );

const after = (kinds: readonly OutcomeKind[], now = 0): Outcomes =>
  kinds.reduce((outcomes, kind) => countOutcome(outcomes, kind, now), noOutcomes(now));

describe("an outcome", () => {
  test("SC6 counts half after an hour, and a quarter after two", () => {
    const one = countOutcome(noOutcomes(0), "success", 0);
    expect(outcomesAt(one, HALF_LIFE).successes).toBe(0.5);
    expect(outcomesAt(one, 2 * HALF_LIFE).successes).toBe(0.25);
    expect(HALF_LIFE).toBe(3_600_000);
  });

  test("SC6 decays equally whether the counts were read in between or not", () => {
    fc.assert(
      fc.property(anyOutcomes, anyTime, anyTime, (outcomes, one, other) => {
        const [first, last] = [Math.min(one, other), Math.max(one, other)];
        const read = outcomesAt(outcomesAt(outcomes, first), last);
        expect(read.failures).toBeCloseTo(outcomesAt(outcomes, last).failures, 9);
        expect(outcomesKnown(read, last)).toBeCloseTo(outcomesKnown(outcomes, last), 9);
      }),
    );
  });

  test("SC6 does not grow when the clock is set back", () => {
    const one = countOutcome(noOutcomes(1_000), "failure", 1_000);
    expect(outcomesAt(one, 0)).toEqual(one);
  });
});

describe("the risk of failure", () => {
  test("SC7 is the mean of the Beta posterior, and that of the prior while nothing is known", () => {
    expect(failureRisk(noOutcomes(0), PRIOR, 0)).toBeCloseTo(0.3 / 8.3, 12);
    expect(failureRisk(after(["success", "success", "failure"]), PRIOR, 0)).toBeCloseTo(
      1.3 / 11.3,
      12,
    );
  });

  test("SC7 counts a timeout like a failure, and four refusals like one", () => {
    const risk = (kinds: readonly OutcomeKind[]) => failureRisk(after(kinds), PRIOR, 0);
    expect(risk(["timeout"])).toBe(risk(["failure"]));
    expect(risk(Array<OutcomeKind>(4).fill("refusal"))).toBeCloseTo(risk(["failure"]), 12);
  });

  test("SC7 lies between 0 and 1, falls by a success and rises by anything else", () => {
    fc.assert(
      fc.property(anyOutcomes, anyTime, (outcomes, now) => {
        const risk = failureRisk(outcomes, PRIOR, now);
        expect(risk > 0 && risk < 1).toBe(true);
        const at = Math.max(now, outcomes.at);
        const before = failureRisk(outcomes, PRIOR, at);
        const next = (kind: OutcomeKind) =>
          failureRisk(countOutcome(outcomes, kind, at), PRIOR, at);
        expect(next("success")).toBeLessThan(before);
        for (const bad of ["failure", "timeout", "refusal"] as const)
          expect(next(bad)).toBeGreaterThan(before);
      }),
    );
  });

  test("SC7 returns to that of the prior with time", () => {
    const bad = after(Array<OutcomeKind>(50).fill("failure"));
    expect(failureRisk(bad, PRIOR, 0)).toBeGreaterThan(0.8);
    expect(failureRisk(bad, PRIOR, 30 * HALF_LIFE)).toBeCloseTo(0.3 / 8.3, 6);
  });
});
