import { DELIVERY_OUTCOMES } from "../../../protocol/http.ts";
import { action } from "../../actions.ts";
import { choiceOption } from "../../args.ts";
import { print, printJson } from "../../output.ts";
import { table } from "../../table.ts";
import { controllerOf } from "../../target.ts";

/** Lists the recorded deliveries of a source. */
export const deliveries = action({
  usage: "deliveries NAME [--outcome WORD]",
  summary: "list the recent deliveries with a valid signature, newest first",
  details: [
    ["--outcome WORD", `only deliveries with this outcome (${DELIVERY_OUTCOMES.join(", ")})`],
  ],
  options: { outcome: { type: "string" } },
  arguments: ["NAME"],
  run: async (values, [name = ""]) => {
    const outcome = choiceOption("outcome", values.outcome, DELIVERY_OUTCOMES);
    const filter = outcome === undefined ? {} : { outcome };
    const all = await (await controllerOf(values)).webhooks.deliveries(name, filter).toArray();
    if (values.json === true) printJson(all);
    else if (all.length === 0) print("no deliveries");
    else {
      const rows = all.map((each) => [
        each.id,
        each.received_at,
        each.outcome,
        each.task_id ?? each.detail ?? "",
        each.replayable ? "yes" : "no",
      ]);
      print(table(["delivery", "received", "outcome", "task or reason", "replayable"], rows));
    }
    return 0;
  },
});
