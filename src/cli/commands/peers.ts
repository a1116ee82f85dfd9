import { withActions } from "../actions.ts";
import { forget } from "./peers/forget.ts";
import { list } from "./peers/list.ts";
import { request } from "./peers/request.ts";
import { reset } from "./peers/reset.ts";
import { cordon, drain, uncordon } from "./peers/schedule.ts";
import { show } from "./peers/show.ts";

/** Lists peers, or acts on them: one action per file in `peers/`. Without an action it lists them. */
export const peers = withActions("peers", {
  summary: "list or show the peers; cordon, drain, reset, ask or forget some of them",
  examples: [
    "peers --state active",
    "peers drain --capability gpu --timeout 300",
    "peers forget 9f86d081884c7d659a2feaa0c55ad015",
  ],
  actions: { list, show, cordon, uncordon, drain, reset, request, forget },
  otherwise: list,
});
