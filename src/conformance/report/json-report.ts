import { countsOf, type CheckResult } from "../result.ts";

export interface ReportAbout {
  /** What was checked: `muster/2` or `go-p2p/1.0`. */
  readonly protocol: string;
  readonly subject: "peer" | "mesh";
}

/** The report for programs. */
export function jsonReport({ protocol, subject }: ReportAbout, results: readonly CheckResult[]) {
  const { passed, failedMust, failedShould, notApplicable } = countsOf(results);
  return {
    protocol,
    subject,
    conforms: failedMust === 0,
    passed,
    failed_must: failedMust,
    failed_should: failedShould,
    not_applicable: notApplicable,
    checks: results.map((result) => ({
      id: result.id,
      level: result.level,
      subset: result.subset,
      outcome: result.outcome,
      statement: result.statement,
      section: result.section,
      took_seconds: result.tookSeconds,
      expected: result.expected,
      seen: result.seen,
      frames: result.frames,
      output: result.output,
    })),
  };
}
