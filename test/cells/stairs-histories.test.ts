import { it } from "vitest";
import { checkHistories, scaled, TIMEOUT } from "./check-histories.ts";
import { stairs } from "./history-acts.ts";

it(
  "CE100 CE91 CE93 CE106 CE107 CE108 nothing is lost, accepted or committed twice, and no key is barred elsewhere, while the number of cells goes up and down",
  { timeout: TIMEOUT },
  () => checkHistories({ count: scaled(160), cells: [1, 2, 4], history: stairs }),
);
