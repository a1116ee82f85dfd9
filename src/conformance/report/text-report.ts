import { countsOf, type CheckResult } from "../result.ts";

const WORDS = { passed: "ok  ", failed: "FAIL", not_applicable: "n/a " } as const;

const indented = (label: string, text: string): string => `      ${label.padEnd(9)} ${text}`;

/** The lines of one result. */
export function resultLines(result: CheckResult): readonly string[] {
  const { id, level, outcome, statement, section, expected, seen = "" } = result;
  const first = `${WORDS[outcome]}  ${id}  ${level.padEnd(6)}  ${statement}`;
  if (outcome === "passed") return [first];
  if (outcome === "not_applicable") return [first, indented("because", seen)];
  const list = (label: string, lines: readonly string[] = []) =>
    lines.map((line, at) => indented(at === 0 ? label : "", line));
  return [
    first,
    indented("expected", expected ?? ""),
    indented("seen", seen),
    indented("section", section),
    ...list("frames", result.frames),
    ...list("output", result.output),
  ];
}

/** The last line of a report. */
export function summaryLine(results: readonly CheckResult[]): string {
  const { passed, failedMust, failedShould, notApplicable } = countsOf(results);
  const failed = [
    ...(failedMust > 0 ? [`${failedMust} must failed`] : []),
    ...(failedShould > 0 ? [`${failedShould} should failed`] : []),
  ];
  const rest = notApplicable === 0 ? [] : [`${notApplicable} not applicable`];
  return [`${results.length} checks: ${passed} passed`, ...failed, ...rest].join(", ");
}
