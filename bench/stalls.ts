import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { controller } from "../src/client/index.ts";
import type { Bench } from "./bench.ts";
import { partition, stoppedWorker, type StallFigures, type StalledMesh } from "./field/stalls.ts";
import { startPlainMesh } from "./plain/mesh.ts";

/** Seconds from the end of a stall within which everything has ended. */
const SECONDS_MAX = 5;

export const stalls: Bench = {
  summary:
    "a worker that is stopped for 20 s, and three whose links stall for 40 s: executions, and seconds until all is done",
  async run(log) {
    const dir = await mkdtemp(join(tmpdir(), "muster-bench-"));
    const server = await startPlainMesh({ dir });
    try {
      const { url, meshKey, adminToken: token } = server;
      const api = controller({ url, token });
      const mesh: StalledMesh = {
        url,
        meshKey,
        submit: (leaseSeconds, kind) => api.tasks.submit(kind, null, { leaseSeconds }),
        get: (id) => api.tasks.get(id),
      };
      const stopped = await stoppedWorker(mesh, {
        stallMs: 20_000,
        leaseSeconds: 5,
        serviceMs: 2_000,
      });
      log(`a stopped worker: ${JSON.stringify(stopped)}`);
      const port = Number(new URL(url).port);
      const stall = { stallMs: 40_000, leaseSeconds: 10, serviceMs: 2_000 };
      const partitioned = await partition(mesh, port, stall);
      log(`a partition: ${JSON.stringify(partitioned)}`);
      return {
        ok: holds(stopped) && holds(partitioned),
        bar: `every task succeeds with one execution, within ${SECONDS_MAX} s of the end of the stall`,
        stopped,
        partitioned,
      };
    } finally {
      await server.stop();
      await rm(dir, { recursive: true, force: true });
    }
  },
};

const holds = ({ tasks, succeeded, runs, seconds_after: seconds }: StallFigures): boolean =>
  succeeded === tasks && runs === tasks && seconds <= SECONDS_MAX;
