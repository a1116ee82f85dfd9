import type { Bench } from "./bench.ts";
import { runFleet } from "./fleet/run.ts";
import { seededNumbers } from "../test/random.ts";

const HOSTS = 10;
const PEERS_PER_HOST = 50;

export const fleet: Bench = {
  summary:
    "500 SDK peers in ten processes under cut sockets, frozen and killed processes and a killed mesh: do registry and truth agree afterwards",
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
      bar: "afterwards registry and truth agree, every accepted task has succeeded, and every living peer does one more",
      peers: HOSTS * peersPerHost,
      processes: HOSTS,
      ...outcome,
    };
  },
};
