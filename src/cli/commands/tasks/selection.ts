/** The options by which `muster tasks cancel` and `muster tasks retry` select tasks, and how both act on them. */
import { usageLine } from "../../command-name.ts";
import type { BulkOptions, BulkOutcome } from "../../../client/index.ts";
import { choiceOption, timeOption, type Details, type Values } from "../../args.ts";
import { UsageError } from "../../failure.ts";
import { optionalPeerId, taskId } from "../../identifiers.ts";
import { ask, counted, note, print, printJson } from "../../output.ts";
import { Stopped, stopSignal } from "../../signals.ts";
import type { TARGET_OPTIONS } from "../../target.ts";

export const SELECTION_OPTIONS = {
  state: { type: "string" },
  kind: { type: "string" },
  source: { type: "string" },
  peer: { type: "string" },
  owner: { type: "string" },
  "created-after": { type: "string" },
  "created-before": { type: "string" },
  error: { type: "string" },
  "dry-run": { type: "boolean" },
  yes: { type: "boolean" },
} as const;

type SelectionValues = Values<typeof SELECTION_OPTIONS & typeof TARGET_OPTIONS>;

export const selectionDetails = (states: readonly string[], stateDefault: string): Details => [
  ["ID...", "these tasks"],
  ["--state STATE", `tasks in this state (${states.join(", ")}); default: ${stateDefault}`],
  ["--kind KIND", "tasks of this kind"],
  ["--source SOURCE", "tasks that came this way: api, peer, or webhook:NAME"],
  ["--peer ID", "tasks that this peer holds, or ended"],
  ["--owner ID", "tasks of this owner: a token's ID, admin, or a peer's ID"],
  ["--created-after TIME", "tasks submitted after this time, such as 2030-01-31T08:00:00Z"],
  ["--created-before TIME", "tasks submitted before this time"],
  ["--error TEXT", "tasks whose error contains this text"],
  ["--dry-run", "change nothing: print how many tasks it would be, and the first 20"],
  ["--yes", "do not ask; required where no terminal can answer"],
];

/** The tasks that the command line names, or the filter that it gives: one of the two. */
export function readSelection<S extends string>(
  ids: readonly string[],
  values: SelectionValues,
  states: readonly S[],
  usage: string,
) {
  const state = choiceOption("state", values.state, states);
  const createdAfter = timeOption("created-after", values["created-after"]);
  const createdBefore = timeOption("created-before", values["created-before"]);
  const { kind, source, owner, error: errorContains } = values;
  const peerId = optionalPeerId(values.peer, "--peer");
  const filter = {
    ...(state !== undefined && { state }),
    ...(kind !== undefined && { kind }),
    ...(source !== undefined && { source }),
    ...(peerId !== undefined && { peerId }),
    ...(owner !== undefined && { owner }),
    ...(createdAfter !== undefined && { createdAfter }),
    ...(createdBefore !== undefined && { createdBefore }),
    ...(errorContains !== undefined && { errorContains }),
  };
  const filters = Object.keys(filter).length > 0;
  if (filters === ids.length > 0)
    throw new UsageError(
      filters ? "IDs and a filter exclude each other" : "name tasks, or filter them by an option",
      usageLine(`tasks ${usage}`),
    );
  return filters ? filter : ids.map((id) => taskId(id, "ID"));
}

interface Act {
  /** `cancel`, and `cancelled`. */
  readonly verb: string;
  readonly past: string;
  readonly run: (options: BulkOptions) => Promise<BulkOutcome>;
}

/** Counts the tasks, asks, and acts; or only counts them. Returns the exit code. */
export async function actOnSelection(act: Act, values: SelectionValues): Promise<number> {
  if (values["dry-run"] === true && values.yes === true)
    throw new UsageError("--dry-run and --yes exclude each other", "pass one of them");
  const signal = stopSignal();
  const json = values.json === true;
  if (values["dry-run"] === true) {
    const would = await act.run({ dryRun: true, signal });
    if (json) printOutcomeJson(would);
    else printOutcome(would, `would be ${act.past}`);
    return 0;
  }
  if (values.yes !== true && !(await confirms(act, signal))) return 1;
  // What the last request did is the outcome, which is printed below.
  let earlier: number | null = null;
  const done = await act.run({
    signal,
    onProgress: ({ count }) => {
      if (earlier !== null) note(`${counted(earlier, "task")} ${act.past} so far`);
      earlier = count;
    },
  });
  if (json) printOutcomeJson(done);
  else printOutcome(done, act.past);
  return 0;
}

async function confirms(act: Act, signal: AbortSignal): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new UsageError(
      `nobody can confirm that tasks are ${act.past}`,
      "pass --yes, or --dry-run",
    );
  const { count } = await act.run({ dryRun: true, signal });
  if (count === 0) {
    note(`no task would be ${act.past}`);
    return false;
  }
  try {
    const answer = await ask(`${act.verb} ${counted(count, "task")}? [y/N]`, signal);
    return /^y(?:es)?$/i.test(answer.trim());
  } catch (error) {
    if (error instanceof Error && error.name === "AbortError") throw new Stopped("SIGINT");
    throw error;
  }
}

/** With the field names of the API, as all JSON of the commands. */
function printOutcomeJson({ taskIds, ...rest }: BulkOutcome): void {
  printJson({ ...rest, task_ids: taskIds });
}

function printOutcome({ count, taskIds, skipped }: BulkOutcome, what: string): void {
  print(`${counted(count, "task")} ${what}`);
  for (const id of taskIds) print(`  ${id}`);
  if (count > taskIds.length) print(`  and ${count - taskIds.length} more`);
  for (const { id, code } of skipped) print(`skipped ${id}: ${code}`);
}
