import { describe, expect, test } from "vitest";
import { runFleet } from "../../bench/fleet/run.ts";
import { seededNumbers } from "../random.ts";

/** A tenth of `npm run bench -- fleet`, with the same faults; it takes one to two minutes. */
const FLEET = {
  hosts: 6,
  peersPerHost: 8,
  perSecond: 20,
  freezeMs: 12_000,
  taskEveryMs: 100,
  patienceMs: 300_000,
};

describe("a fleet with reset connections, frozen and killed processes, and a killed mesh", () => {
  test(
    "RC6 matches the registry afterwards, and no accepted task is lost",
    { timeout: 900_000 },
    async () => {
      const outcome = await runFleet(FLEET, seededNumbers(4), () => {});
      expect(outcome).toMatchObject({
        living: 32,
        killed: 16,
        differences: [],
        overdue_task: "expired",
        unreachable: [],
      });
      expect(outcome.sockets_cut).toBeGreaterThan(5);
      expect(outcome.tasks).toMatchObject({ succeeded: outcome.tasks.given, wrong: [] });
      expect(outcome.tasks.given).toBeGreaterThan(100);
    },
  );
});
