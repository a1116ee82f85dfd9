import { countsOf, type CheckResult } from "../result.ts";

/** The report in the form of JUnit, which CI systems read. */
export function junitReport(suite: string, results: readonly CheckResult[]): string {
  const { failedMust, failedShould, notApplicable } = countsOf(results);
  const seconds = results.reduce((sum, { tookSeconds }) => sum + tookSeconds, 0);
  const counts = `tests="${results.length}" failures="${failedMust + failedShould}" skipped="${notApplicable}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites><testsuite name="${escaped(suite)}" ${counts} time="${seconds.toFixed(3)}">`,
    ...results.map((result) => testCase(suite, result)),
    "</testsuite></testsuites>",
    "",
  ].join("\n");
}

function testCase(suite: string, result: CheckResult): string {
  const { id, level, subset, statement, outcome, expected = "", seen = "", tookSeconds } = result;
  const name = escaped(`${id} ${statement}`);
  const head = `<testcase classname="${escaped(suite)}.${level}.${subset}" name="${name}" time="${tookSeconds.toFixed(3)}"`;
  if (outcome === "passed") return `${head}/>`;
  if (outcome === "not_applicable")
    return `${head}><skipped message="${escaped(seen)}"/></testcase>`;
  const { frames = [], output = [] } = result;
  const message = `expected ${expected}; seen: ${seen}`;
  const details = [message, "", ...frames, "", ...output].join("\n");
  return `${head}><failure message="${escaped(message)}">${escaped(details)}</failure></testcase>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/** Text for XML 1.0. Characters that XML cannot contain become `?`: a peer chooses what its messages contain. */
const escaped = (text: string): string =>
  text
    .toWellFormed()
    .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "?")
    .replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? "");
