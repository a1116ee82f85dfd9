import { writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import type { CheckInfo } from "../../conformance/check.ts";
import { jsonReport, type ReportAbout } from "../../conformance/report/json-report.ts";
import { junitReport } from "../../conformance/report/junit-report.ts";
import { resultLines, summaryLine } from "../../conformance/report/text-report.ts";
import { countsOf, type CheckResult } from "../../conformance/result.ts";
import { runChecks, type PreparedCheck } from "../../conformance/run-checks.ts";
import { countOption } from "../args.ts";
import { EXIT } from "../exit-codes.ts";
import { UsageError } from "../failure.ts";
import { unwritable } from "../files.ts";
import { line, print, printJson, styled } from "../output.ts";
import { stopSignal } from "../signals.ts";

/** Checks wait for most of their time: more of them run than there are cores. */
const JOBS_PER_CORE = 4;
const JOBS_MAX = 64;

interface ReportOptions {
  readonly jobs?: string | undefined;
  readonly junit?: string | undefined;
  readonly json?: boolean | undefined;
}

/** How many checks run at the same time. */
function jobsOf(text: string | undefined): number {
  const jobs =
    countOption("jobs", text) ?? Math.min(JOBS_MAX, JOBS_PER_CORE * availableParallelism());
  if (jobs >= 1 && jobs <= JOBS_MAX) return jobs;
  throw new UsageError(`--jobs must be from 1 to ${JOBS_MAX}, not ${jobs}`, "leave it out");
}

/** Runs the checks and prints the report. Returns the exit code: 1 if a check of the level `must` has failed. */
export async function runAndReport<C extends CheckInfo>(
  { jobs, junit, json = false }: ReportOptions,
  about: ReportAbout,
  checks: readonly C[],
  prepare: (check: C) => Promise<PreparedCheck>,
): Promise<number> {
  const write = async (text: string): Promise<void> => {
    if (junit === undefined) return;
    await writeFile(junit, text).catch((error: unknown) => {
      throw unwritable(junit, error);
    });
  };
  await write(""); // a file that can't be written is told before the checks run
  const results = await runChecks({
    checks,
    prepare,
    jobs: jobsOf(jobs),
    now: () => performance.now(),
    signal: stopSignal(),
    onResult: (result) => {
      if (!json) printResult(result);
    },
  });
  await write(junitReport(`muster conformance ${about.protocol} ${about.subject}`, results));
  if (json) printJson(jsonReport(about, results));
  else print(["", summaryLine(results)]);
  return countsOf(results).failedMust === 0 ? EXIT.ok : EXIT.failed;
}

function printResult(result: CheckResult): void {
  const [first = "", ...rest] = resultLines(result);
  print([result.outcome === "failed" ? line(styled("red", first)) : first, ...rest]);
}

/** Prints the checks, and runs none. */
export function listChecks(checks: readonly CheckInfo[], json: boolean): number {
  const shown = checks.map(({ id, level, subset, statement, section }) => ({
    id,
    level,
    subset,
    statement,
    section,
  }));
  if (json) printJson({ checks: shown });
  else
    print(
      shown.map(({ id, level, subset, statement }) =>
        [id, level.padEnd(6), subset, statement].join("  "),
      ),
    );
  return EXIT.ok;
}
