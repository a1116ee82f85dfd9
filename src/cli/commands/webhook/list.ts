import { action } from "../../actions.ts";
import { print, printJson } from "../../output.ts";
import { table } from "../../table.ts";
import { controllerOf } from "../../target.ts";

/** Lists the webhook sources. */
export const list = action({
  usage: "list",
  summary: "list the sources",
  options: {},
  arguments: [],
  run: async (values) => {
    const sources = await (await controllerOf(values)).webhooks.list().toArray();
    if (values.json === true) printJson(sources);
    else if (sources.length === 0) print("no webhook sources");
    else {
      const rows = sources.map((each) => [
        each.name,
        each.scheme,
        each.task.kind,
        each.filters.length,
        each.deliveries,
      ]);
      print(table(["name", "scheme", "task kind", "filters", "tasks created"], rows));
    }
    return 0;
  },
});
