import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Bench } from "../bench.ts";
import { startPlainMesh } from "../plain/mesh.ts";
import { runInBatches } from "./batches.ts";
import { callFor, type Load } from "./load.ts";
import { flameGraph } from "./flame-graph.ts";
import { connectInspector, type CpuProfile, type Inspector } from "./inspector.ts";
import { connectPeers, KIND, type EmptyPeers } from "./peers.ts";
import { ownTimes, placesOf, selfTimes, timeTable } from "./self-times.ts";
import { TaskApi } from "./task-api.ts";

const CALLERS = 32;
const WARM_UP_SECONDS = 3;
const SECONDS = 8;
const TABLE_ROWS = 60;
/** Tasks that wait in the queue at the start of each run in batches. */
const BACKLOG = 2_000;
const TEMPORARY_SVG = join(tmpdir(), "assign-flame-graph.svg");
const SVG = fileURLToPath(new URL("../../docs/assign-flame-graph.svg", import.meta.url));

/** Not benchmarks with a bar: they show where the server's time goes. At scale 1 or more the first replaces the graph in docs/. */
export const profileAssign: Bench = {
  summary: "a CPU profile of the server under single tasks: tables of times, and a flame graph",
  isKept: false,
  run: (log, scale) => profile(runSingly, log, { scale, svg: scale >= 1 ? SVG : TEMPORARY_SVG }),
};
export const profileBatches: Bench = {
  summary: "the same while tasks are submitted in batches of 100",
  isKept: false,
  run: (log, scale) => profile(runBatches, log, { scale, svg: TEMPORARY_SVG }),
};

/** Loads a mesh for this many seconds. */
type RunLoad = (mesh: Loaded, seconds: number) => Promise<Load>;
interface Loaded {
  readonly api: TaskApi;
  readonly peers: EmptyPeers;
}

const runSingly: RunLoad = ({ api }, seconds) => callFor(seconds, CALLERS, () => api.run(KIND));

async function runBatches(mesh: Loaded, seconds: number): Promise<Load> {
  let calls = 0;
  let took = 0;
  while (took < seconds) {
    const load = await runInBatches({ ...mesh, count: BACKLOG, timeoutSeconds: 60 });
    calls += load.calls;
    took += load.seconds;
  }
  return { calls, seconds: took };
}

async function profile(
  runLoad: RunLoad,
  log: (line: string) => void,
  { scale, svg }: { readonly scale: number; readonly svg: string },
) {
  const dir = await mkdtemp(join(tmpdir(), "muster-profile-"));
  const server = await startPlainMesh({ dir, inspector: true });
  try {
    const places = placesOf(server.bundle);
    const peers = await connectPeers(server, { count: 4, slots: 16 });
    const api = new TaskApi(server);
    const run = (seconds: number) => runLoad({ api, peers }, seconds);
    await run(WARM_UP_SECONDS);
    const inspector = await connectInspector(server.inspectorPort ?? 0, "mesh");
    const { recorded, perSecond } = await record(SECONDS * scale, run, inspector);
    inspector.close();
    api.close();
    await peers.close();
    const title = `Muster's server under load: ${CALLERS} callers, 4 peers of 16 slots, empty tasks, ${perSecond.toFixed(0)} tasks/s while profiled`;
    await writeFile(svg, flameGraph(recorded, places, title));
    log("functions by their own time:");
    for (const line of timeTable(selfTimes(recorded, places), TABLE_ROWS)) log(line);
    log("functions of this project, with the dependencies and the platform that they call:");
    for (const line of timeTable(ownTimes(recorded, places), TABLE_ROWS)) log(line);
    log(`flame graph: ${svg}`);
    return { ok: true, tasks_per_second_while_profiled: Math.round(perSecond) };
  } finally {
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

/** The load runs before and after the profile, so that its start and its end are not in it. */
async function record(
  seconds: number,
  run: (seconds: number) => Promise<Load>,
  inspector: Inspector,
): Promise<{ readonly recorded: CpuProfile; readonly perSecond: number }> {
  const load = run(seconds + 1);
  await sleep(500);
  await inspector.startProfile();
  await sleep(seconds * 1_000);
  const recorded = await inspector.stopProfile();
  const { calls, seconds: took } = await load;
  return { recorded, perSecond: calls / took };
}
