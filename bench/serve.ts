import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "../src/cli/ports.ts";
import { endGroup, registerGroup } from "../src/cli/process-group.ts";
import { newSecrets } from "../src/cli/state-folder.ts";
import { secretsText } from "../src/cli/secrets-file.ts";
import type { Bench } from "./bench.ts";
import { cpuMs } from "./cpu.ts";

const PROJECT = fileURLToPath(new URL("../", import.meta.url));
const SETTLE_MS = 4_000;
const IDLE_MS = 15_000;

export const serve: Bench = {
  summary: "start, stop, memory and idle CPU of muster serve beside wrangler dev",
  async run(log, scale) {
    const dir = await mkdtemp(join(tmpdir(), "muster-bench-"));
    try {
      const subjects = [
        { name: "serve", start: startServe },
        { name: "wrangler_dev", start: startWrangler },
      ];
      const measured: Record<string, Measured> = {};
      for (const { name, start } of subjects) {
        const folder = join(dir, name);
        await mkdir(folder);
        measured[name] = await measure(() => start(folder), scale);
        log(`${name}: ${JSON.stringify(measured[name])}`);
      }
      const { serve: ours, wrangler_dev: baseline } = measured;
      if (ours === undefined || baseline === undefined) throw new Error("nothing was measured");
      const ratios = {
        start: ratio(ours.start_ms, baseline.start_ms),
        cpu_of_start: ratio(ours.cpu_of_start_ms, baseline.cpu_of_start_ms),
        memory: ratio(ours.memory_mib, baseline.memory_mib),
      };
      return {
        ok: ratios.memory < 1 && ratios.cpu_of_start < 1,
        bar: "less memory and less CPU at the start than wrangler dev in the same run",
        ratios,
        ...measured,
      };
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  },
};

interface Subject {
  readonly pid: number;
  stop(): Promise<void>;
}

interface Measured {
  readonly start_ms: number;
  readonly cpu_of_start_ms: number;
  readonly stop_ms: number;
  readonly processes: number;
  /** Proportional set size of all processes. */
  readonly memory_mib: number;
  readonly idle_cpu_ms_a_minute: number;
}

async function measure(start: () => Promise<Subject>, scale: number): Promise<Measured> {
  const begun = Date.now();
  const subject = await start();
  const startMs = Date.now() - begun;
  await sleep(SETTLE_MS);
  const pids = treeOf(subject.pid);
  const sum = (of: (pid: number) => number) => pids.reduce((total, pid) => total + of(pid), 0);
  const before = sum(cpuMs);
  const idle = IDLE_MS * Math.max(scale, 0.2);
  await sleep(idle);
  const idleCpu = sum(cpuMs) - before;
  const memory = sum(pssMib);
  const stopped = Date.now();
  await subject.stop();
  return {
    start_ms: startMs,
    cpu_of_start_ms: before,
    stop_ms: Date.now() - stopped,
    processes: pids.length,
    memory_mib: Math.round(memory),
    idle_cpu_ms_a_minute: Math.round((idleCpu * 60_000) / idle),
  };
}

async function startServe(dir: string): Promise<Subject> {
  const args = [
    join(PROJECT, "src/cli/main.ts"),
    "serve",
    "--port",
    "0",
    "--dir",
    join(dir, "mesh"),
  ];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"], cwd: dir });
  await once(child.stdout, "data");
  const stop = async () => {
    child.kill("SIGTERM");
    await once(child, "exit");
  };
  return { pid: child.pid ?? 0, stop };
}

async function startWrangler(dir: string): Promise<Subject> {
  const secrets = join(dir, "mesh.secrets");
  await writeFile(secrets, secretsText(newSecrets()), { mode: 0o600 });
  const port = await freePort("127.0.0.1");
  const manifest = createRequire(import.meta.url).resolve("wrangler/package.json");
  const flags = [
    `--config=${join(PROJECT, "wrangler.toml")}`,
    "--ip=127.0.0.1",
    `--port=${port}`,
    "--inspector-port=0",
    `--persist-to=${join(dir, "state")}`,
    `--env-file=${secrets}`,
    "--local",
    "--show-interactive-dev-session=false",
  ];
  const cli = join(dirname(manifest), "wrangler-dist", "cli.js");
  const child = spawn(process.execPath, ["--no-warnings", cli, "dev", ...flags], {
    detached: true,
    stdio: "ignore",
    cwd: PROJECT,
    env: {
      ...process.env,
      CI: "1",
      WRANGLER_SEND_METRICS: "false",
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
      CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV: "true",
    },
  });
  registerGroup(child);
  const answers = () =>
    fetch(`http://127.0.0.1:${port}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await answers())) await sleep(50);
  return { pid: child.pid ?? 0, stop: () => endGroup(child, () => void child.kill("SIGINT")) };
}

/** A process and all that it started. */
function treeOf(root: number): readonly number[] {
  const found = new Set([root]);
  for (let before = 0; before < found.size;) {
    before = found.size;
    for (const name of readdirSync("/proc").filter((each) => /^\d+$/.test(each)))
      if (found.has(Number(statusField(Number(name), "PPid")))) found.add(Number(name));
  }
  return [...found];
}

function statusField(pid: number, field: string): string {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? "";
  } catch {
    return ""; // ended in the meantime
  }
}

function pssMib(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1]) / 1_024;
}

const ratio = (one: number, other: number): number => Math.round((one / other) * 100) / 100;
