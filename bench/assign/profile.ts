import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Bench } from "../bench.ts";
import { startPlainMesh } from "../plain/mesh.ts";
import { callFor } from "./load.ts";
import { flameGraph } from "./flame-graph.ts";
import { connectInspector, type CpuProfile } from "./inspector.ts";
import { connectPeers, KIND } from "./peers.ts";
import { ownTimes, placesOf, selfTimes, timeTable } from "./self-times.ts";
import { TaskApi } from "./task-api.ts";

const CALLERS = 32;
const WARM_UP_SECONDS = 3;
const SECONDS = 8;
const TABLE_ROWS = 60;
const SVG = fileURLToPath(new URL("../../docs/assign-flame-graph.svg", import.meta.url));

/** Not a benchmark with a bar: it shows where the server's time goes. At scale 1 or more it replaces the graph in docs/. */
export const profileAssign: Bench = {
  summary: "a CPU profile of the server under single tasks: table of self times, and a flame graph",
  isKept: false,
  async run(log, scale) {
    const dir = await mkdtemp(join(tmpdir(), "muster-profile-"));
    const mesh = await startPlainMesh({ dir, inspector: true });
    try {
      const places = placesOf(mesh.bundle);
      const peers = await connectPeers(mesh, { count: 4, slots: 16 });
      const api = new TaskApi(mesh);
      await callFor(WARM_UP_SECONDS, CALLERS, () => api.run(KIND));
      const inspector = await connectInspector(mesh.inspectorPort ?? 0, "mesh");
      const { profile, perSecond } = await profiled(SECONDS * scale, api, inspector);
      inspector.close();
      api.close();
      await peers.close();
      const title = `Server CPU: ${CALLERS} callers that submit one task each and wait, 4 peers of 16 slots, ${perSecond.toFixed(0)} tasks/s`;
      const svg = scale >= 1 ? SVG : join(tmpdir(), "assign-flame-graph.svg");
      await writeFile(svg, flameGraph(profile, places, title));
      log("functions by their own time:");
      for (const line of timeTable(selfTimes(profile, places), TABLE_ROWS)) log(line);
      log("functions of this project, with the dependencies and the platform that they call:");
      for (const line of timeTable(ownTimes(profile, places), TABLE_ROWS)) log(line);
      log(`flame graph: ${svg}`);
      return { ok: true, tasks_per_second_while_profiled: Math.round(perSecond) };
    } finally {
      await mesh.stop();
      await rm(dir, { recursive: true, force: true });
    }
  },
};

type Inspector = Awaited<ReturnType<typeof connectInspector>>;

async function profiled(
  seconds: number,
  api: TaskApi,
  inspector: Inspector,
): Promise<{ readonly profile: CpuProfile; readonly perSecond: number }> {
  // The load runs before and after the profile, so that the start and the end of the load are not in it.
  const load = callFor(seconds + 1, CALLERS, () => api.run(KIND));
  await sleep(500);
  await inspector.startProfile();
  await sleep(seconds * 1_000);
  const profile = await inspector.stopProfile();
  const { calls, seconds: took } = await load;
  return { profile, perSecond: calls / took };
}
