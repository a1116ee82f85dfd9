import { readArgs, type Command } from "../args.ts";
import { DemoRun } from "../demo/demo-run.ts";
import { readFiles } from "../demo/files.ts";
import { printResults } from "../demo/results-table.ts";
import { Failure } from "../failure.ts";
import { stopSignal } from "../signals.ts";

const usage = "demo [FILE]...";

/** The demo ends within a minute; the remaining seconds are for the table and for stopping the processes. */
const DEADLINE_MS = 52_000;

/** Runs a mesh and four peers that process files. */
export const demo: Command = {
  usage,
  summary: "start a mesh and four peers, let them hash files, and check every result",
  details: [["FILE", "a file to hash, or a folder for all files in it; default: Muster's source"]],
  run: async (argv) => {
    const { positionals } = readArgs(argv, {}, { min: 0, max: Infinity, usage });
    const startedAt = Date.now();
    const run = new DemoRun(await readFiles(positionals), startedAt);
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(new DeadlineExceeded()), DEADLINE_MS);
    const elapsedSeconds = (): number => (Date.now() - startedAt) / 1_000;
    try {
      await run.run(AbortSignal.any([stopSignal(), deadline.signal]));
    } catch (error) {
      if (error instanceof DeadlineExceeded) printResults(run.rows, elapsedSeconds());
      throw error;
    } finally {
      clearTimeout(timer);
    }
    return printResults(run.rows, elapsedSeconds()) ? 0 : 1;
  },
};

class DeadlineExceeded extends Failure {
  constructor() {
    super(`the demo did not finish within ${DEADLINE_MS / 1_000} s`);
  }
}
