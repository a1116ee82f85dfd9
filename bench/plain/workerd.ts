import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { endGroup, registerGroup } from "../../src/cli/process-group.ts";
import { cpuMs } from "../cpu.ts";
import { workerdConfig, type WorkerConfig } from "./config.ts";
import { fsyncCounter } from "./fsync-counter.ts";

const START_TIMEOUT_MS = 20_000;
/** The file descriptor on which workerd reports the ports that it listens on. */
const CONTROL_FD = 3;
const LOG_LINES_MAX = 20;

/** A workerd process, without wrangler. */
export interface Workerd {
  readonly url: string;
  readonly pid: number;
  /** The port of V8's inspector; null without `--inspector-addr`. */
  readonly inspectorPort: number | null;
  /** CPU time so far, in milliseconds. */
  cpuMs(): number;
  /** Calls of fsync and fdatasync so far; null if they cannot be counted. */
  fsyncs(): number | null;
  /** Resident memory now, in KiB. */
  rssKib(): number;
  stop(): Promise<void>;
}

export interface WorkerdOptions {
  /** Holds the configuration, the bundles and the data. The bundles must be there. */
  readonly dir: string;
  readonly workers: readonly WorkerConfig[];
  readonly inspector?: boolean;
}

/** Starts workerd and resolves when it listens. */
export async function startWorkerd({ dir, workers, inspector }: WorkerdOptions): Promise<Workerd> {
  const disk = join(dir, "data");
  await mkdir(disk, { recursive: true });
  const config = join(dir, "config.capnp");
  await writeFile(config, workerdConfig(workers, disk), { mode: 0o600 });
  const counter = fsyncCounter(dir);
  const args = ["serve", config, `--control-fd=${CONTROL_FD}`];
  if (inspector === true) args.push("--inspector-addr=127.0.0.1:0");
  const child = spawn(workerdBinary(), args, {
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    env: { ...process.env, ...counter.environment },
  });
  registerGroup(child);
  const stop = () => endGroup(child, () => void child.kill("SIGTERM"));
  try {
    const ports = await listenedPorts(child, inspector === true);
    const pid = child.pid ?? 0;
    return {
      url: `http://127.0.0.1:${ports.http}`,
      pid,
      inspectorPort: ports.inspector,
      cpuMs: () => cpuMs(pid),
      fsyncs: () => counter.count(),
      rssKib: () => rssKib(pid),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The native binary of the workerd that wrangler uses, so that no Node process stands in between. */
function workerdBinary(): string {
  const wrangler = createRequire(import.meta.url).resolve("wrangler/package.json");
  return (createRequire(wrangler)("workerd") as { default: string }).default;
}

interface Ports {
  readonly http: number;
  readonly inspector: number | null;
}

/** Waits for workerd's reports of its ports. Rejects with its last output if it ends or takes too long. */
function listenedPorts(child: ChildProcess, withInspector: boolean): Promise<Ports> {
  const { promise, resolve, reject } = Promise.withResolvers<Ports>();
  const output = lastLines(child);
  const fail = (what: string) => reject(new Error([`workerd ${what}`, ...output].join("\n")));
  const timer = setTimeout(() => fail("did not listen in time"), START_TIMEOUT_MS);
  child.once("exit", (code) => fail(`ended with ${code}`));
  child.once("error", reject);
  let http: number | null = null;
  let inspector: number | null = null;
  createInterface(child.stdio[CONTROL_FD] as Readable).on("line", (line) => {
    const report = JSON.parse(line) as { event: string; port?: number };
    if (report.event === "listen") http = report.port ?? null;
    if (report.event === "listen-inspector") inspector = report.port ?? null;
    if (http !== null && (inspector !== null || !withInspector)) resolve({ http, inspector });
  });
  return promise.finally(() => clearTimeout(timer));
}

/** The newest lines of a process's output, which are read so that its pipe never fills. */
function lastLines(child: ChildProcess): readonly string[] {
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface(stream).on("line", (line) => {
      if (process.env.BENCH_DEBUG !== undefined) console.error(line);
      lines.push(line);
      if (lines.length > LOG_LINES_MAX) lines.shift();
    });
  }
  return lines;
}

function rssKib(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
}
