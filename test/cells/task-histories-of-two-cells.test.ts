import { it } from "vitest";
import { checkHistories, scaled, TIMEOUT } from "./check-histories.ts";
import { history } from "./history-acts.ts";

it("CE93 the same with two cells", { timeout: TIMEOUT }, () =>
  checkHistories({ count: scaled(8_800), cells: [2], history }),
);
