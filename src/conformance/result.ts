import type { CheckInfo } from "./check.ts";

type Outcome = "passed" | "failed" | "not_applicable";

/** What came of one check. */
export interface CheckResult extends CheckInfo {
  readonly outcome: Outcome;
  /** How long it took. */
  readonly tookSeconds: number;
  /** Of a check that failed; of one that does not apply, `seen` is the reason. */
  readonly expected?: string;
  readonly seen?: string;
  /** What passed last between the kit and the program. */
  readonly frames?: readonly string[];
  /** What the program wrote last. */
  readonly output?: readonly string[];
}

export interface Counts {
  readonly passed: number;
  /** Failed checks of the level `must`, and of the level `should`. */
  readonly failedMust: number;
  readonly failedShould: number;
  readonly notApplicable: number;
}

export function countsOf(results: readonly CheckResult[]): Counts {
  const count = (isCounted: (result: CheckResult) => boolean): number =>
    results.filter(isCounted).length;
  return {
    passed: count(({ outcome }) => outcome === "passed"),
    failedMust: count(({ outcome, level }) => outcome === "failed" && level === "must"),
    failedShould: count(({ outcome, level }) => outcome === "failed" && level === "should"),
    notApplicable: count(({ outcome }) => outcome === "not_applicable"),
  };
}
