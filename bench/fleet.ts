import type { Bench } from "./bench.ts";
import { runFleet } from "./fleet/run.ts";
import { seededNumbers } from "../test/random.ts";

const HOSTS = 10;
const PEERS_PER_HOST = 50;

export const fleet: Bench = {
  summary:
    "500 SDK peers in ten processes with reset connections, frozen and killed processes and a killed mesh: does the registry match the peers afterwards",
  async run(log, scale) {
    const peersPerHost = Math.max(2, Math.round(PEERS_PER_HOST * scale));
    const outcome = await runFleet(
      {
        hosts: HOSTS,
        peersPerHost,
        perSecond: 40,
        freezeMs: 90_000,
        taskEveryMs: 100,
        patienceMs: 300_000,
      },
      seededNumbers(4),
      log,
    );
    const { tasks, differences, unreachable, overdue_task } = outcome;
    return {
      ok:
        differences.length === 0 &&
        unreachable.length === 0 &&
        tasks.wrong.length === 0 &&
        overdue_task === "expired",
      bar: "afterwards the registry matches the peers, every accepted task has succeeded, and every living peer runs one more task",
      peers: HOSTS * peersPerHost,
      processes: HOSTS,
      ...outcome,
    };
  },
};
