import { it } from "vitest";
import { checkHistories, scaled, TIMEOUT } from "./check-histories.ts";
import { history } from "./history-acts.ts";

it(
  "CE93 no task is lost, committed twice or delivered to a revoked peer, whatever happens to calls and cells",
  { timeout: TIMEOUT },
  () => checkHistories({ count: scaled(9_000), cells: [3, 4], history }),
);
