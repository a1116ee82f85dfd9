import { withActions } from "../actions.ts";
import { create } from "./webhook/create.ts";
import { deliveries } from "./webhook/deliveries.ts";
import { list } from "./webhook/list.ts";
import { listen } from "./webhook/listen.ts";
import { refused } from "./webhook/refused.ts";
import { remove } from "./webhook/remove.ts";
import { replay } from "./webhook/replay.ts";
import { show } from "./webhook/show.ts";
import { test } from "./webhook/test.ts";
import { update } from "./webhook/update.ts";

/** Manages webhook sources and what arrives at them: one action per file in `webhook/`. */
export const webhook = withActions("webhook", {
  summary: "create and change webhook sources; see, test and replay what arrives",
  examples: ["webhook create ci --scheme github --kind build --out ci.secret", "webhook listen ci"],
  actions: {
    create,
    update,
    delete: remove,
    list,
    show,
    test,
    listen,
    deliveries,
    replay,
    refused,
  },
});
