import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { barsOf, stretchOf, type Bar, type Measured } from "./assign/bars.ts";
import { Closers } from "./assign/closers.ts";
import { costFigures, medianCost } from "./assign/load.ts";
import { KIND } from "./assign/peers.ts";
import { latencyFigures } from "./assign/quantiles.ts";
import { CALLERS, runRounds, type RoundOptions } from "./assign/rounds.ts";
import { soak } from "./assign/soak.ts";
import { PEERS, SLOTS, startSubjects, type Subjects } from "./assign/subjects.ts";
import { runOnWidePeer } from "./assign/wide-peer.ts";
import type { Bench } from "./bench.ts";
import { startPlainMesh } from "./plain/mesh.ts";

const ROUNDS = 5;
const ROUND_SECONDS = 4;
const LATENCY_TASKS = 100;
const WIDE_PEER_TASKS = 1_500;
const SOAK_SECONDS = 600;

export const assign: Bench = {
  summary:
    "empty tasks on plain workerd: rates, fsyncs, CPU and latencies, compared with a bare object and with BullMQ; memory under load",
  async run(log, scale) {
    const dir = await mkdtemp(join(tmpdir(), "muster-bench-"));
    const closers = new Closers();
    try {
      const subjects = await startSubjects(dir, closers);
      if (subjects.bullMq === null) log("redis-server is missing: nothing is compared with BullMQ");
      if (subjects.bare.server.fsyncs() === null) log("cc is missing: fsyncs are not counted");
      const options = roundOptions(scale);
      const rounds = await runRounds(subjects, options, log);
      const { latency } = subjects;
      const runs = [...subjects.mesh.peers.runs];
      log(`runs of each peer: ${runs.join(", ")}`);
      const wide = await measureWidePeer(join(dir, "wide-peer"), closers);
      log(`wide peer: ${JSON.stringify(wide)}`);
      const soaked = await measureSoak(subjects, SOAK_SECONDS * scale);
      log(`soak: ${JSON.stringify(soaked)}`);
      return report({ rounds, latency, wide, soak: soaked, runs }, options, log);
    } finally {
      await closers.close();
      await rm(dir, { recursive: true, force: true });
    }
  },
};

const roundOptions = (scale: number): RoundOptions => ({
  rounds: scale < 0.2 ? 3 : ROUNDS,
  seconds: Math.min(ROUND_SECONDS, Math.max(1.5, ROUND_SECONDS * scale * 4)),
  latencyTasks: Math.min(LATENCY_TASKS, Math.max(20, Math.round(LATENCY_TASKS * scale * 4))),
});

async function measureWidePeer(dir: string, closers: Closers) {
  const server = closers.keep(await startPlainMesh({ dir }), (mesh) => mesh.stop());
  return runOnWidePeer(server, WIDE_PEER_TASKS);
}

const measureSoak = ({ mesh }: Subjects, seconds: number) =>
  soak(mesh.server, { seconds, callers: CALLERS }, () => mesh.api.run(KIND));

function report(measured: Measured, options: RoundOptions, log: (line: string) => void) {
  const { rounds, latency, wide, soak: soaked, runs } = measured;
  const bars = barsOf(measured);
  for (const [name, bar] of Object.entries(bars)) log(barLine(name, bar));
  return {
    ok: Object.values(bars).every(({ ok }) => ok !== false),
    bars,
    stretch: stretchOf(rounds),
    ...options,
    load: { callers: CALLERS, peers: PEERS, slots: SLOTS },
    bare_object: costFigures(medianCost(rounds.bare)),
    singly: costFigures(medianCost(rounds.singly)),
    batches: costFigures(medianCost(rounds.batches)),
    one_peer: costFigures(medianCost(rounds.one_peer)),
    bullmq:
      rounds.bullmq_singly.length === 0
        ? { skipped: "redis-server is missing" }
        : {
            singly: costFigures(medianCost(rounds.bullmq_singly)),
            batches: costFigures(medianCost(rounds.bullmq_batches)),
          },
    latency_ms: {
      floor: latencyFigures(latency.floors),
      receipt: latencyFigures(latency.tasks.receipts),
      result: latencyFigures(latency.tasks.results),
      ungrouped_receipt: latencyFigures(latency.ungrouped.receipts),
      ungrouped_result: latencyFigures(latency.ungrouped.results),
    },
    runs_of_each_peer: runs,
    wide_peer: wide,
    soak: soaked,
  };
}

function barLine(name: string, { value, bar, ok }: Bar): string {
  const verdict = ok === null ? "not measured" : ok ? "ok" : "MISSED";
  return `${name.padEnd(30)} ${String(value).padStart(8)}  ${bar.padEnd(8)} ${verdict}`;
}
