import type { TaskStats } from "../../../client/index.ts";
import { action } from "../../actions.ts";
import { print, printJson } from "../../output.ts";
import { table } from "../../table.ts";
import { controllerOf } from "../../target.ts";

const usage = "stats";

/** Shows the queue by kind and by owner. */
export const stats = action({
  usage,
  summary: "show how many tasks wait and run, by kind and by owner, and the limits that hold",
  details: [],
  options: {},
  arguments: [],
  run: async (values) => {
    const mesh = await controllerOf(values);
    const shown = await mesh.tasks.stats();
    if (values.json === true) printJson(shown);
    else printStats(shown);
    return 0;
  },
});

type Counts = Pick<TaskStats, "waiting" | "running" | "oldest_wait_seconds">;

const counts = ({ waiting, running, oldest_wait_seconds: oldest }: Counts): (string | number)[] => [
  waiting,
  running,
  oldest === null ? "-" : `${Math.round(oldest)} s`,
];

function printStats(shown: TaskStats): void {
  const { waiting, running, kinds, owners, truncated, queue_max: max } = shown;
  print(`${waiting} waiting (at most ${max}), ${running} running`);
  if (kinds.length > 0) {
    print("");
    print(
      table(["kind", "waiting", "running", "oldest", "concurrency", "rate"], kinds.map(ofKind)),
    );
    print("");
    print(table(OWNER_HEADINGS, owners.map(ofOwner)));
  }
  if (truncated) print("only the kinds and owners with the most tasks are shown");
}

const ofKind = ({ kind, settings, ...rest }: TaskStats["kinds"][number]) => [
  kind,
  ...counts(rest),
  settings?.concurrency ?? "-",
  settings === null || settings.rate === null ? "-" : `${settings.rate.per_second}/s`,
];

const OWNER_HEADINGS = [
  "owner",
  "label",
  "waiting",
  "running",
  "oldest",
  "weight",
  "max waiting",
  "max running",
  "max priority",
  "MB",
  "max MB",
];

const ofOwner = ({ owner, label, limits, bytes, ...rest }: TaskStats["owners"][number]) => [
  owner,
  label ?? "-",
  ...counts(rest),
  limits.weight,
  limits.max_waiting,
  limits.max_running ?? "-",
  limits.max_priority ?? "-",
  megabytes(bytes),
  limits.max_bytes === null ? "-" : megabytes(limits.max_bytes),
];

const megabytes = (bytes: number): string => (bytes / 1_000_000).toFixed(3);
