import { it } from "vitest";
import { checkHistories, scaled, TIMEOUT } from "./check-histories.ts";
import { growingHistory } from "./history-acts.ts";

it(
  "CE100 CE93 CE101 CE104 CE106 nothing is lost, accepted or committed twice, and no revoked peer admitted, while the number of cells changes",
  { timeout: TIMEOUT },
  () => checkHistories({ count: scaled(2_240), cells: [1, 2, 3, 4], history: growingHistory }),
);
