import { it } from "vitest";
import { checkTaskHistories } from "./check-task-histories.ts";

const SCALE = Number(process.env["MUSTER_TEST_SCALE"] ?? 1);

it("CE93 no task is lost, committed twice or delivered to a revoked peer, whatever happens to calls and cells in short histories", async () => {
  await checkTaskHistories(500 * SCALE, 10);
});
