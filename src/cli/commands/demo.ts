import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { orAborted } from "../abort.ts";
import { readArgs, type Command } from "../args.ts";
import { enlist, startCrew, type CrewName } from "../demo/crew.ts";
import { readFiles, type DemoFile } from "../demo/files.ts";
import type { Job, Report } from "../demo/messages.ts";
import { Progress } from "../demo/progress.ts";
import { printReport, type Row } from "../demo/report.ts";
import { Failure } from "../failure.ts";
import { plain } from "../output.ts";
import { startMesh, type MeshProcess } from "../mesh-process.ts";
import { stopSignal } from "../signals.ts";

const usage = "demo [FILE]...";

/** The demo ends within a minute: the rest of it is for the table and for tidying up. */
const DEADLINE_MS = 52_000;

/** Shows a whole mesh at work. */
export const demo: Command = {
  usage,
  summary: "start a mesh and four peers, let them digest files, and check every result",
  details: [["FILE", "what to digest, a folder for all in it; default: Muster's own source"]],
  run: async (argv) => {
    const { positionals } = readArgs(argv, {}, { min: 0, max: Infinity, usage });
    const began = Date.now();
    const stage = new Stage(await readFiles(positionals), began);
    const late = new AbortController();
    const deadline = setTimeout(() => late.abort(new Late()), DEADLINE_MS);
    try {
      await stage.play(AbortSignal.any([stopSignal(), late.signal]));
    } catch (error) {
      if (error instanceof Late) printReport(stage.rows, (Date.now() - began) / 1_000);
      throw error;
    } finally {
      clearTimeout(deadline);
    }
    return printReport(stage.rows, (Date.now() - began) / 1_000) ? 0 : 1;
  },
};

class Late extends Failure {
  constructor() {
    super(`not done in ${DEADLINE_MS / 1_000} s`);
  }
}

/** One performance: what is to be done, and how far it is. */
class Stage {
  readonly #progress = new Progress();
  readonly #files: readonly DemoFile[];
  readonly #began: number;
  readonly #rows: Row[];
  readonly #tally = new Map<CrewName, { ok: number; failed: number }>();
  readonly #allEnded = Promise.withResolvers<void>();
  #ended = 0;
  #playing = true;

  constructor(files: readonly DemoFile[], began: number) {
    this.#files = files;
    this.#began = began;
    this.#rows = files.map((file, index) => ({ file, via: viaOf(index), task: null }));
  }

  get rows(): readonly Row[] {
    return this.#rows;
  }

  /** Starts everything, sees the work done, and leaves nothing behind, however it ends. */
  async play(signal: AbortSignal): Promise<void> {
    const dir = await mkdtemp(join(tmpdir(), "muster-demo-"));
    try {
      await this.#withMesh(dir, signal);
    } finally {
      this.#progress.clear();
      await rm(dir, { recursive: true, force: true });
    }
  }

  async #withMesh(dir: string, signal: AbortSignal): Promise<void> {
    this.#progress.show("starting a mesh…");
    const onLog = (line: string): void => this.#progress.note(plain(line));
    const mesh = await startMesh({ dir, port: 0, onLog, signal });
    const gone = new AbortController();
    void mesh.exited.then(() => gone.abort(new Failure("the mesh ended by itself")));
    try {
      await this.#withCrew(mesh, AbortSignal.any([signal, gone.signal]));
    } finally {
      await mesh.stop();
    }
  }

  async #withCrew(mesh: MeshProcess, signal: AbortSignal): Promise<void> {
    this.#progress.show("four peers join…");
    const orders = await orAborted(enlist(mesh), signal);
    const crew = startCrew(orders, (from, report) => this.#take(from, report));
    try {
      await orAborted(Promise.race([crew.joined, crew.deserted]), signal);
      crew.tell("controller", { type: "jobs", jobs: this.#jobs() });
      await orAborted(Promise.race([this.#allEnded.promise, crew.deserted]), signal);
    } finally {
      this.#playing = false;
      await crew.stop();
    }
  }

  #jobs(): Job[] {
    return this.#files.map(({ name, bytes }, index) => ({
      index,
      file: name,
      content: bytes.toString("base64"),
      via: viaOf(index),
    }));
  }

  #take(from: CrewName, report: Report): void {
    if (!this.#playing) return; // peers that are sent home have nothing to tell
    switch (report.type) {
      case "joined":
        break;
      case "trouble":
        this.#progress.note(`${from}: ${report.text}`);
        break;
      case "attempt":
        this.#count(from, report.ok);
        break;
      case "ended":
        this.#end(report);
        break;
    }
    this.#show();
  }

  #count(from: CrewName, ok: boolean): void {
    const tally = this.#tally.get(from) ?? { ok: 0, failed: 0 };
    if (ok) tally.ok++;
    else tally.failed++;
    this.#tally.set(from, tally);
  }

  #end({ index, task }: Extract<Report, { type: "ended" }>): void {
    const row = this.#rows[index];
    if (row === undefined || row.task !== null) return;
    this.#rows[index] = { ...row, task };
    if (++this.#ended === this.#rows.length) this.#allEnded.resolve();
  }

  #show(): void {
    const tallies = [...this.#tally].map(
      ([name, { ok, failed }]) => `${name} ${ok}${failed === 0 ? "" : ` (${failed} failed)`}`,
    );
    const seconds = ((Date.now() - this.#began) / 1_000).toFixed(1);
    const done = `${this.#ended}/${this.#rows.length} done`;
    this.#progress.show([`${seconds} s`, done, ...tallies].join("  ·  "));
  }
}

/** Every third file goes by webhook. */
const viaOf = (index: number): Job["via"] => (index % 3 === 2 ? "webhook" : "http");
