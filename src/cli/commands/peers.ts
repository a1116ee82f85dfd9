import { withActions } from "../actions.ts";
import { list } from "./peers/list.ts";
import { reset } from "./peers/reset.ts";
import { cordon, drain, uncordon } from "./peers/schedule.ts";

/** Lists peers, or acts on them: one action per file in `peers/`. Without an action it lists them. */
export const peers = withActions("peers", {
  summary: "list the peers; cordon, uncordon or drain some of them; reset a circuit",
  actions: { list, cordon, uncordon, drain, reset },
  otherwise: list,
});
