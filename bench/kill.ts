import { seededNumbers } from "../test/random.ts";
import { killTest } from "../test/e2e/kill/harness.ts";
import type { Bench } from "./bench.ts";

const SEED = 20_261_125;

export const kill: Bench = {
  summary: "2,000 tasks on 20 peers while peers and the server are killed at random times",
  run: (log, scale) => killed(1, log, scale),
};

export const killCells: Bench = {
  summary: "the same in a mesh of four cells",
  run: (log, scale) => killed(4, log, scale),
};

async function killed(cells: number, log: (line: string) => void, scale: number) {
  const report = await killTest({
    tasks: Math.ceil(2_000 * scale),
    peers: Math.max(2, Math.round(20 * Math.min(1, scale))),
    peerKills: Math.ceil(120 * scale),
    serverKills: Math.ceil(5 * scale),
    cells,
    random: seededNumbers(SEED),
    log,
  });
  const { lost, duplicate_commits, false_results } = report;
  return {
    ok: lost === 0 && duplicate_commits === 0 && false_results === 0,
    bar: "every task ends once: none is lost, none is committed twice",
    seed: SEED,
    cells,
    ...report,
    seconds: Math.round(report.seconds),
  };
}
