import type { FailuresView } from "../../../client/index.ts";
import { action } from "../../actions.ts";
import { choiceOption, timeOption } from "../../args.ts";
import { print, printJson } from "../../output.ts";
import { table } from "../../table.ts";
import { truncate } from "../../display-width.ts";
import { controllerOf } from "../../target.ts";

const usage =
  "failures [--state failed|expired] [--kind KIND] [--owner ID] [--since TIME] [--until TIME]";

/** Shows why tasks failed. */
export const failures = action({
  usage,
  summary: "group the newest failed and expired tasks by kind and reason",
  details: [
    ["--state STATE", "only failed, or only expired tasks"],
    ["--kind KIND", "only tasks of this kind"],
    ["--owner ID", "only tasks of this owner: a token's ID, admin, or a peer's ID"],
    ["--since TIME", "only tasks that ended after this time, such as 2030-01-31T08:00:00Z"],
    ["--until TIME", "only tasks that ended before this time"],
  ],
  options: {
    state: { type: "string" },
    kind: { type: "string" },
    owner: { type: "string" },
    since: { type: "string" },
    until: { type: "string" },
  },
  arguments: [],
  run: async (values) => {
    const { kind, owner } = values;
    const state = choiceOption("state", values.state, ["failed", "expired"]);
    const endedAfter = timeOption("since", values.since);
    const endedBefore = timeOption("until", values.until);
    const mesh = await controllerOf(values);
    const shown = await mesh.tasks.failures({
      ...(state !== undefined && { state }),
      ...(kind !== undefined && { kind }),
      ...(owner !== undefined && { owner }),
      ...(endedAfter !== undefined && { endedAfter }),
      ...(endedBefore !== undefined && { endedBefore }),
    });
    if (values.json === true) printJson(shown);
    else printFailures(shown);
    return 0;
  },
});

const HEADINGS = ["tasks", "kind", "state", "reason", "peers", "last", "newest task"];

function printFailures({ groups, count, group_count: groupCount, complete }: FailuresView): void {
  if (groups.length === 0) return print("no failed or expired tasks");
  print(table(HEADINGS, groups.map(row)));
  if (groupCount > groups.length)
    print(`${groupCount - groups.length} further groups are not shown: use --kind or --since`);
  if (!complete) print(`only the newest ${count} tasks were read: use --kind, --since or --until`);
}

const row = (group: FailuresView["groups"][number]): (string | number)[] => [
  group.count,
  group.kind,
  group.state,
  truncate(group.reason === "" ? "-" : group.reason, 60),
  group.peer_count,
  group.last_at,
  group.task_ids[0] ?? "-",
];
