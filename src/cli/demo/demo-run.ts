import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { orAborted } from "../abort.ts";
import { Failure } from "../failure.ts";
import type { LogLine } from "../../base/log/log-line.ts";
import type { MeshProcess } from "../server-module.ts";

import type { DemoFile } from "./files.ts";
import type { Job, PeerReport } from "./messages.ts";
import { registerPeers, startPeers, type PeerName } from "./peer-processes.ts";
import { loadServer } from "../server-package.ts";
import { Progress } from "./progress.ts";
import type { Row } from "./results-table.ts";

/** What happens between the end of the last task and the end of the mesh. */
type Afterwards = (mesh: MeshProcess) => Promise<void>;

/** One run of the demo: a mesh, four peers, one task per file, and how far the tasks are. */
export class DemoRun {
  readonly #progress = new Progress();
  readonly #files: readonly DemoFile[];
  readonly #startedAt: number;
  readonly #onProgress: () => void;
  readonly #rows: Row[];
  readonly #attempts = new Map<PeerName, { ok: number; failed: number }>();
  readonly #allEnded = Promise.withResolvers<void>();
  #endedCount = 0;
  #isRunning = true;

  /** `onProgress` is called whenever the mesh has started, a peer has joined, or a task has ended. */
  constructor(files: readonly DemoFile[], startedAt: number, onProgress: () => void) {
    this.#files = files;
    this.#startedAt = startedAt;
    this.#onProgress = onProgress;
    this.#rows = files.map((file, index) => ({ file, via: submissionOf(index), task: null }));
  }

  get rows(): readonly Row[] {
    return this.#rows;
  }

  /**
   * Resolves when every task has ended, and `afterwards` has: until then the mesh and the peers run. Whatever happens, no process and no
   * file is left behind.
   */
  async run(signal: AbortSignal, afterwards: Afterwards = async () => {}): Promise<void> {
    const dir = await mkdtemp(join(tmpdir(), "muster-demo-"));
    try {
      await this.#runMesh(dir, signal, afterwards);
    } finally {
      this.#progress.clear();
      await rm(dir, { recursive: true, force: true });
    }
  }

  async #runMesh(dir: string, signal: AbortSignal, afterwards: Afterwards): Promise<void> {
    this.#progress.show("starting a mesh…");
    const { startMesh } = await loadServer();
    const onLog = ({ message }: LogLine): void => this.#progress.note(message);
    const mesh = await startMesh({ dir, port: 0, onLog, signal });
    this.#onProgress();
    const meshExit = new AbortController();
    void mesh.exited.then(() => meshExit.abort(new Failure("the mesh ended unexpectedly")));
    try {
      await this.#runPeers(mesh, AbortSignal.any([signal, meshExit.signal]), afterwards);
    } finally {
      await mesh.stop();
    }
  }

  async #runPeers(mesh: MeshProcess, signal: AbortSignal, afterwards: Afterwards): Promise<void> {
    this.#progress.show("four peers join…");
    const configs = await orAborted(registerPeers(mesh), signal);
    const peers = startPeers(configs, (from, report) => this.#onReport(from, report));
    try {
      await orAborted(Promise.race([peers.joined, peers.crashed]), signal);
      peers.send("controller", { type: "jobs", jobs: this.#jobs() });
      await orAborted(Promise.race([this.#allEnded.promise, peers.crashed]), signal);
      this.#progress.clear();
      await orAborted(Promise.race([afterwards(mesh), peers.crashed]), signal);
    } finally {
      this.#isRunning = false;
      await peers.stop();
    }
  }

  #jobs(): Job[] {
    return this.#files.map(({ name, bytes }, index) => ({
      index,
      file: name,
      content: bytes.toString("base64"),
      via: submissionOf(index),
    }));
  }

  #onReport(from: PeerName, report: PeerReport): void {
    if (!this.#isRunning) return; // peers that are being stopped report disconnections
    switch (report.type) {
      case "joined":
        this.#onProgress();
        break;
      case "warning":
        this.#progress.note(`${from}: ${report.text}`);
        break;
      case "attempt":
        this.#countAttempt(from, report.ok);
        break;
      case "ended":
        this.#recordEnd(report);
        break;
      default:
        report satisfies never;
    }
    this.#showProgress();
  }

  #countAttempt(from: PeerName, ok: boolean): void {
    const count = this.#attempts.get(from) ?? { ok: 0, failed: 0 };
    if (ok) count.ok++;
    else count.failed++;
    this.#attempts.set(from, count);
  }

  #recordEnd({ index, task }: Extract<PeerReport, { type: "ended" }>): void {
    const row = this.#rows[index];
    if (row === undefined || row.task !== null) return;
    this.#rows[index] = { ...row, task };
    this.#onProgress();
    if (++this.#endedCount === this.#rows.length) this.#allEnded.resolve();
  }

  #showProgress(): void {
    const counts = [...this.#attempts].map(
      ([name, { ok, failed }]) => `${name} ${ok}${failed === 0 ? "" : ` (${failed} failed)`}`,
    );
    const seconds = ((Date.now() - this.#startedAt) / 1_000).toFixed(1);
    const done = `${this.#endedCount}/${this.#rows.length} done`;
    this.#progress.show([`${seconds} s`, done, ...counts].join("  ·  "));
  }
}

/** Every third task is submitted by a webhook. */
const submissionOf = (index: number): Job["via"] => (index % 3 === 2 ? "webhook" : "http");
