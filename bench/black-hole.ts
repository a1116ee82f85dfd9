import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Closers } from "./assign/closers.ts";
import { TaskApi } from "./assign/task-api.ts";
import type { Bench } from "./bench.ts";
import { readEnds, submitMany } from "./field/attempts.ts";
import { KIND, PeerProcess } from "./field/peer-process.ts";
import { startPlainMesh } from "./plain/mesh.ts";

const TASKS = 2_000;
const GOOD_PEERS = 9;
const SERVICE_MS = 3_000;
/** Attempts that the broken peer may waste. */
const WASTED_MAX = 20;
const LOG_INTERVAL_MS = 10_000;

export const blackHole: Bench = {
  summary:
    "9 good peers and one that fails at once, a standing queue of 2,000 tasks: tasks lost, attempts wasted; a scale shortens the tasks",
  async run(log, scale) {
    const serviceMs = Math.max(50, Math.round(SERVICE_MS * Math.min(1, scale)));
    const dir = await mkdtemp(join(tmpdir(), "muster-bench-"));
    const closers = new Closers();
    try {
      const mesh = closers.keep(await startPlainMesh({ dir }), (server) => server.stop());
      const api = closers.keep(new TaskApi(mesh), (caller) => caller.close());
      const ids = await submitMany(api, KIND, TASKS);
      const began = performance.now();
      const startPeer = async (name: string, fails: boolean) => {
        const { url, meshKey } = mesh;
        const peer = await PeerProcess.start({ url, meshKey, name, serviceMs, fails });
        return closers.keep(peer, (started) => started.kill());
      };
      const hole = startPeer("hole", true);
      const good = Array.from({ length: GOOD_PEERS }, (_, n) => startPeer(`good ${n}`, false));
      const peers = await Promise.all([hole, ...good]);
      const least = (TASKS * serviceMs) / GOOD_PEERS;
      await allEnded(api, began + 3 * least + 120_000, log);
      const seconds = (performance.now() - began) / 1_000;
      const [holeRuns = 0, ...goodRuns] = await Promise.all(peers.map((peer) => peer.runs()));
      const ends = await readEnds(api, ids);
      return {
        ok: ends.lost === 0 && ends.wasted_attempts <= WASTED_MAX,
        bar: `no task lost, at most ${WASTED_MAX} attempts wasted`,
        service_ms: serviceMs,
        ...ends,
        runs_of_the_broken_peer: holeRuns,
        runs_of_good_peers: goodRuns,
        seconds: Math.round(seconds),
        least_seconds: Math.round(least / 1_000),
      };
    } finally {
      await closers.close();
      await rm(dir, { recursive: true, force: true });
    }
  },
};

/** Resolves when no task is left that has not ended, or at `until` (in the time of `performance.now`). */
async function allEnded(api: TaskApi, until: number, log: (line: string) => void): Promise<void> {
  let nextLog = 0;
  while (performance.now() < until && (await api.hasUnended())) {
    await sleep(500);
    if (performance.now() < nextLog) continue;
    nextLog = performance.now() + LOG_INTERVAL_MS;
    log(`${Math.round((until - performance.now()) / 1_000)} s left at most`);
  }
}
