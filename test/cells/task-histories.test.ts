import { expect, it } from "vitest";
import { checkTaskHistories } from "./check-task-histories.ts";

const RUNS = Number(process.env["CELL_HISTORIES"] ?? 200);

it("CE93 no task is lost, committed twice or delivered to a revoked peer, whatever happens to calls and cells", async () => {
  await checkTaskHistories(RUNS, 30);
  expect(RUNS).toBeGreaterThan(0);
});
