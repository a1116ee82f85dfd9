import { command } from "../command.ts";
import { DemoRun } from "../demo/demo-run.ts";
import { readFiles } from "../demo/files.ts";
import { printResults, printResultsJson } from "../demo/results-table.ts";
import { Failure } from "../failure.ts";
import { note } from "../output.ts";
import type { MeshProcess } from "../server-module.ts";
import { Stopped, stopSignal } from "../signals.ts";

const usage = "demo [FILE]... [--json] [--keep]";

/** The demo takes 20 s on an idle machine. A busy one may take longer, as long as peers join and tasks end. */
const STALLED_MS = 45_000;

/** Runs a mesh and four peers that process files. */
export const demo = command({
  usage,
  summary: "start a mesh and four peers, let them hash files, and check every result",
  details: [
    ["FILE", "a file to hash, or a folder for all files in it; default: Muster's own modules"],
    ["--json", "print the results as JSON"],
    ["--keep", "keep the mesh and its peers running, and print the address of its dashboard"],
  ],
  examples: ["demo", "demo ~/photos", "demo --keep"],
  options: { json: { type: "boolean" }, keep: { type: "boolean" } },
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
    let allCorrect = false;
    let isKept = false;
    const afterwards = async (mesh: MeshProcess): Promise<void> => {
      clearTimeout(timer);
      allCorrect = show(run.rows, elapsedSeconds());
      isKept = values.keep === true;
      if (isKept) await keptMesh(mesh);
    };
    try {
      await run.run(AbortSignal.any([stopSignal(), stalled.signal]), afterwards);
    } catch (error) {
      if (error instanceof Stalled) show(run.rows, elapsedSeconds());
      // A mesh that is kept ends in no other way.
      if (!(isKept && error instanceof Stopped)) throw error;
    } finally {
      clearTimeout(timer);
    }
    return allCorrect ? 0 : 1;
  },
});

/** Says where the mesh's dashboard is. The mesh runs until the user stops it. */
async function keptMesh({ url, folder }: MeshProcess): Promise<never> {
  note("");
  note(`The mesh and its peers keep running. Its dashboard:  ${url}/dashboard`);
  note(`Sign in with the admin token, which is in ${folder.secrets} (ADMIN_TOKEN).`);
  note("Ctrl-C stops it.");
  return new Promise<never>(() => {});
}

class Stalled extends Failure {
  constructor() {
    super(`no peer has joined and no task has ended for ${STALLED_MS / 1_000} s`);
  }
}
