import { it } from "vitest";
import { checkTaskHistories } from "./check-task-histories.ts";

const SCALE = Number(process.env["MUSTER_TEST_SCALE"] ?? 1);

it("CE93 the same in long histories", async () => {
  await checkTaskHistories(150 * SCALE, 50);
});
