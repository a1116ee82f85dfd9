import { expect, test } from "vitest";
import { seededNumbers } from "../random.ts";
import { killTest } from "./kill/harness.ts";

/** `npm run bench -- kill` runs the same test at full size. */
const SCALE = Number(process.env["MUSTER_KILL_SCALE"] ?? 1);

test(
  "AS1 every task ends exactly once while peers and the mesh are killed with SIGKILL",
  { timeout: 300_000 + 120_000 * SCALE },
  async () => {
    const seed = Date.now() % 1_000_000;
    const tasks = Math.ceil(100 * SCALE);
    const report = await killTest({
      tasks,
      peers: 4,
      peerKills: Math.ceil(8 * SCALE),
      serverKills: 1,
      random: seededNumbers(seed),
      log: () => {},
    });
    expect({ seed, ...report }).toMatchObject({
      seed,
      tasks,
      succeeded: tasks,
      lost: 0,
      duplicate_commits: 0,
      false_results: 0,
    });
    expect(report.executions).toBeGreaterThanOrEqual(tasks);
  },
);
