import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { writeKeyFile } from "../src/cli/key-file.ts";
import { generateIdentity } from "../src/client/index.ts";
import { Closers } from "./assign/closers.ts";
import { TaskApi } from "./assign/task-api.ts";
import type { Bench } from "./bench.ts";
import { readEnds, submitMany } from "./field/attempts.ts";
import { JoinProcess, type JoinPlan } from "./field/join-process.ts";
import { startPlainMesh } from "./plain/mesh.ts";

const PEERS = 6;
const SLOTS = 2;
const TASK_SECONDS = 0.7;
/** Restarts of every peer. */
const ROUNDS = 2;
/** Tasks for each restart, so that the queue is not empty before the last one. */
const TASKS_PER_RESTART = 150;
/** A peer that has joined works for so long before the next one is restarted. */
const PAUSE_MS = 1_000;

export const rollingRestart: Bench = {
  summary:
    "processes of `muster join --exec` under load, each restarted by SIGTERM in turn: tasks failed, executions repeated",
  async run(log, scale) {
    const rounds = Math.max(1, Math.round(ROUNDS * scale));
    const rolled = await roll(rounds, log);
    const { lost, wasted_attempts: wasted, repeated_executions: repeated } = rolled;
    return {
      ok: lost + wasted + repeated === 0 && rolled.busy_until_the_last_restart,
      bar: "no task failed, no attempt wasted, no execution repeated, with work in the queue until the last restart",
      peers: PEERS,
      slots: SLOTS,
      ...rolled,
    };
  },
};

/** Restarts every peer in turn, `rounds` times, while a queue of tasks is done. */
async function roll(rounds: number, log: (line: string) => void) {
  const dir = await mkdtemp(join(tmpdir(), "muster-bench-"));
  const closers = new Closers();
  try {
    const mesh = closers.keep(await startPlainMesh({ dir }), (server) => server.stop());
    const api = closers.keep(new TaskApi(mesh), (caller) => caller.close());
    const runsFile = join(dir, "runs");
    const ids = await submitMany(api, "work", rounds * PEERS * TASKS_PER_RESTART);
    const { url, meshKey } = mesh;
    const fleet = await startFleet({ dir, url, meshKey, runsFile }, closers);
    const exits: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      for (const [n, peer] of fleet.entries()) {
        await sleep(PAUSE_MS);
        const ms = await peer.restart();
        exits.push(ms);
        log(`round ${round}: peer ${n} ended after ${Math.round(ms)} ms and is back`);
      }
    }
    const isBusy = await api.hasUnended();
    while (await api.hasUnended()) await sleep(500);
    const executions = (await readFile(runsFile, "utf8")).trim().split("\n");
    const repeated = executions.filter((id, n) => executions.indexOf(id) !== n);
    for (const id of repeated) log(`repeated: ${JSON.stringify((await api.get(id)).attempts)}`);
    return {
      restarts: exits.length,
      ...(await readEnds(api, ids)),
      executions: executions.length,
      repeated_executions: repeated.length,
      busy_until_the_last_restart: isBusy,
      longest_exit_ms: Math.round(Math.max(...exits)),
    };
  } finally {
    await closers.close();
    await rm(dir, { recursive: true, force: true });
  }
}

/** A peer whose process is replaced by another one with the same key. */
interface RestartedPeer {
  /** Resolves, once the new process has joined, with the time that the old one took to end, in milliseconds. */
  restart(): Promise<number>;
}

interface FleetPlan extends Pick<JoinPlan, "url" | "meshKey"> {
  readonly dir: string;
  /** Each task appends its ID to this file when it begins. */
  readonly runsFile: string;
}

function startFleet(
  { dir, runsFile, ...mesh }: FleetPlan,
  closers: Closers,
): Promise<readonly RestartedPeer[]> {
  const command = `echo "$MUSTER_TASK_ID" >> '${runsFile}'; sleep ${TASK_SECONDS}; echo 1`;
  return Promise.all(
    Array.from({ length: PEERS }, async (_, n) => {
      const keyFile = join(dir, `peer-${n}.json`);
      const stored = { keys: generateIdentity(), createdAt: new Date().toISOString() };
      await writeKeyFile(keyFile, stored, false);
      const plan = { ...mesh, keyFile, slots: SLOTS, command, settings: dir };
      let running = await JoinProcess.start(plan);
      closers.keep(running, () => running.kill());
      return {
        async restart() {
          const ms = await running.terminate();
          running = await JoinProcess.start(plan);
          return ms;
        },
      };
    }),
  );
}
