import { command } from "../command.ts";
import { DemoRun } from "../demo/demo-run.ts";
import { readFiles } from "../demo/files.ts";
import { printResults, printResultsJson } from "../demo/results-table.ts";
import { Failure } from "../failure.ts";
import { stopSignal } from "../signals.ts";

const usage = "demo [FILE]... [--json]";

/** The demo takes 20 s on an idle machine. A busy one may take longer, as long as peers join and tasks end. */
const STALLED_MS = 45_000;

/** Runs a mesh and four peers that process files. */
export const demo = command({
  usage,
  summary: "start a mesh and four peers, let them hash files, and check every result",
  details: [
    ["FILE", "a file to hash, or a folder for all files in it; default: Muster's source"],
    ["--json", "print the results as JSON"],
  ],
  examples: ["demo", "demo ~/photos"],
  options: { json: { type: "boolean" } },
  arguments: ["[FILE...]"],
  run: async (values, positionals) => {
    const show = values.json === true ? printResultsJson : printResults;
    // Before the timer: a file that does not exist ends the command at once.
    const files = await readFiles(positionals);
    const startedAt = Date.now();
    const stalled = new AbortController();
    const timer = setTimeout(() => stalled.abort(new Stalled()), STALLED_MS);
    const run = new DemoRun(files, startedAt, () => void timer.refresh());
    const elapsedSeconds = (): number => (Date.now() - startedAt) / 1_000;
    try {
      await run.run(AbortSignal.any([stopSignal(), stalled.signal]));
    } catch (error) {
      if (error instanceof Stalled) show(run.rows, elapsedSeconds());
      throw error;
    } finally {
      clearTimeout(timer);
    }
    return show(run.rows, elapsedSeconds()) ? 0 : 1;
  },
});

class Stalled extends Failure {
  constructor() {
    super(`no peer has joined and no task has ended for ${STALLED_MS / 1_000} s`);
  }
}
