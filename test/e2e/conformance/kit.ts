/** Runs the kit in this process. */
import { join } from "node:path";
import { preparePeerCheck } from "../../../src/cli/conformance/peer-bench.ts";
import { prepareServerCheck } from "../../../src/cli/conformance/server-bench.ts";
import type { Check, CheckInfo } from "../../../src/conformance/check.ts";
import { MUSTER_2_CHECKS } from "../../../src/conformance/checks/index.ts";
import type { CheckResult } from "../../../src/conformance/result.ts";
import { runChecks, type PreparedCheck } from "../../../src/conformance/run-checks.ts";
import { SERVER_CHECKS } from "../../../src/conformance/server/index.ts";
import { PROJECT } from "../processes.ts";

export const SDK = `${process.execPath} ${join(PROJECT, "examples/conformance-peer.mjs")}`;
export const SMALL = `${process.execPath} ${join(import.meta.dirname, "small-peer.ts")}`;
export const GO_P2P = `${process.execPath} ${join(import.meta.dirname, "go-p2p-peer.ts")}`;
/** Where the lasting reports are. */
export const REPORTS = join(PROJECT, "docs/conformance");
const JOBS = 6;

export const named = (id: string): readonly Check[] =>
  MUSTER_2_CHECKS.filter((check) => check.id === id);

const run = <C extends CheckInfo>(
  checks: readonly C[],
  prepare: (check: C) => Promise<PreparedCheck>,
): Promise<readonly CheckResult[]> =>
  runChecks({
    checks,
    prepare,
    jobs: JOBS,
    now: () => performance.now(),
    signal: new AbortController().signal,
    onResult: () => {},
  });

export const checkPeer = (
  command: string,
  checks: readonly Check[],
  protocol = "muster/2",
): Promise<readonly CheckResult[]> =>
  run(checks, (check) => preparePeerCheck({ command, protocol }, check));

export const checkMesh = (
  server: { readonly url: string; readonly token: string | undefined },
  checks = SERVER_CHECKS,
): Promise<readonly CheckResult[]> => run(checks, (check) => prepareServerCheck(server, check));

/** What a failure of a test shows. */
export const failures = (results: readonly CheckResult[]) =>
  results
    .filter(({ outcome }) => outcome === "failed")
    .map(({ id, expected, seen, frames, output }) => ({ id, expected, seen, frames, output }));

/** A report without anything of the machine that made it. */
export const lasting = (title: string, results: readonly CheckResult[]): string =>
  [
    title,
    "",
    ...results.map(({ id, level, subset, outcome, statement }) =>
      [outcome.padEnd(14), id, level.padEnd(6), subset, statement].join("  "),
    ),
    "",
  ].join("\n");
