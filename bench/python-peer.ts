import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { BATCH } from "./assign/batches.ts";
import { median, rounded } from "./assign/quantiles.ts";
import { TaskApi } from "./assign/task-api.ts";
import { Unavailable, type Bench } from "./bench.ts";
import { cpuMs } from "./cpu.ts";
import { startPlainMesh, type PlainMesh } from "./plain/mesh.ts";

const pathOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const PYTHON = pathOf("../python/.venv/bin/python");
const SLOTS = 16;
const TASKS = 2_000;
const ROUNDS = 5;
const SUBMITTERS = 4;
const POLL_MS = 20;

/** Each is a process with one peer of 16 slots, whose only kind is its name. */
const SUBJECTS = {
  typescript: [process.execPath, pathOf("python-peer/peer.ts")],
  python_loop: [PYTHON, pathOf("python-peer/peer.py")],
  python_thread: [PYTHON, pathOf("python-peer/peer.py")],
  python_process: [PYTHON, pathOf("python-peer/peer.py")],
} as const;
type Name = keyof typeof SUBJECTS;
const NAMES = Object.keys(SUBJECTS) as Name[];

interface Round {
  readonly perSecond: number;
  readonly cpuMsPerTask: number;
}

export const pythonPeer: Bench = {
  summary:
    "empty tasks on one peer of 16 slots: TypeScript, and Python in its loop, in threads and in processes",
  async run(log, scale) {
    if (!existsSync(PYTHON)) throw new Unavailable("run `npm run test:python` first");
    const dir = await mkdtemp(join(tmpdir(), "muster-bench-"));
    const mesh = await startPlainMesh({ dir });
    const api = new TaskApi(mesh);
    const children: ChildProcess[] = [];
    try {
      const pids = {} as Record<Name, number>;
      for (const name of NAMES) {
        const child = await startPeer(name, mesh);
        children.push(child);
        pids[name] = child.pid ?? 0;
      }
      const rounds: Record<Name, Round[]> = {
        typescript: [],
        python_loop: [],
        python_thread: [],
        python_process: [],
      };
      const count = Math.max(BATCH, Math.round((TASKS * scale) / BATCH) * BATCH);
      for (const name of NAMES) await runTasks(api, name, pids[name], BATCH);
      for (let number = 0; number < ROUNDS; number++)
        for (const name of rotated(NAMES, number)) {
          const round = await runTasks(api, name, pids[name], count);
          rounds[name].push(round);
          log(
            `${name}: ${rounded(round.perSecond)} tasks a second, ${rounded(round.cpuMsPerTask)} ms CPU`,
          );
        }
      const figures = Object.fromEntries(
        NAMES.map((name) => [
          name,
          {
            per_second: rounded(median(rounds[name].map(({ perSecond }) => perSecond))),
            cpu_ms_per_task: rounded(median(rounds[name].map(({ cpuMsPerTask }) => cpuMsPerTask))),
          },
        ]),
      ) as Record<Name, { per_second: number; cpu_ms_per_task: number }>;
      const ratio = rounded(figures.python_loop.per_second / figures.typescript.per_second);
      return {
        ok: ratio >= 0.5,
        bar: "a peer in Python does half as many tasks as one in TypeScript in the same run",
        slots: SLOTS,
        tasks: count,
        ratio,
        ...figures,
      };
    } finally {
      for (const child of children) child.kill("SIGKILL");
      api.close();
      await mesh.stop();
      await rm(dir, { recursive: true, force: true });
    }
  },
};

/** No subject is the first in every round. */
const rotated = <T>(items: readonly T[], by: number): readonly T[] => [
  ...items.slice(by % items.length),
  ...items.slice(0, by % items.length),
];

/** Starts a peer; resolves when the mesh has welcomed it. */
async function startPeer(name: Name, { url, meshKey }: PlainMesh): Promise<ChildProcess> {
  const [program, file] = SUBJECTS[name];
  const child = spawn(program, [file, url, meshKey, name, String(SLOTS)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await Promise.race([
    once(child.stdout, "data"),
    once(child, "exit").then(() => Promise.reject(new Error(`${name} has ended`))),
  ]);
  return child;
}

/** Submits tasks in batches as fast as the mesh takes them, and waits until all have ended. The processes of handlers are not counted. */
async function runTasks(api: TaskApi, kind: string, pid: number, count: number): Promise<Round> {
  const cpuBefore = cpuMs(pid);
  const began = performance.now();
  let left = count;
  const submitter = async () => {
    while (left > 0) {
      left -= BATCH;
      const ids = await api.submitBatch(kind, BATCH);
      if (ids.length < BATCH) throw new Error("the mesh has refused a task");
    }
  };
  await Promise.all(Array.from({ length: SUBMITTERS }, submitter));
  while (await api.hasUnended()) await sleep(POLL_MS);
  const seconds = (performance.now() - began) / 1_000;
  return { perSecond: count / seconds, cpuMsPerTask: (cpuMs(pid) - cpuBefore) / count };
}
