import { readFile } from "node:fs/promises";
import type { MeshClient, DryRunView, Json, KeptDelivery } from "../../client/index.ts";
import { DELIVERY_OUTCOMES } from "../../protocol/http.ts";
import { choiceOption, readArgs, type Command, type Values, wrongArguments } from "../args.ts";
import { Failure, UsageError } from "../failure.ts";
import { print, printJson } from "../output.ts";
import { table } from "../table.ts";
import { readStandardInput } from "../standard-input.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";

const usage =
  "webhook list | test NAME [FILE | -] | deliveries NAME | replay NAME DELIVERY [--new-task]";

const ACTIONS = { list: 0, test: 1, deliveries: 1, replay: 2 };

const OPTIONS = {
  ...TARGET_OPTIONS,
  event: { type: "string" },
  raw: { type: "boolean" },
  delivery: { type: "string" },
  header: { type: "string", multiple: true },
  outcome: { type: "string" },
  "new-task": { type: "boolean" },
} as const;

/** Tests webhook sources, and lists and replays their deliveries. */
export const webhook: Command = {
  usage,
  summary: "test webhook sources, list their deliveries, replay a delivery",
  details: [
    ["list", "list the sources"],
    ["test NAME", "show which task a sample event would create; from FILE, - (stdin) or --event"],
    ["--event JSON", "the sample event"],
    ["--raw", "the sample is a raw request body, such as a form, and not JSON"],
    ["--delivery ID", "use a stored delivery as the sample"],
    ["--header 'NAME: VALUE'", "a header of the sample; repeatable"],
    ["deliveries NAME", "list the recent deliveries, newest first"],
    ["--outcome WORD", `only deliveries with this outcome (${DELIVERY_OUTCOMES.join(", ")})`],
    ["replay NAME DELIVERY", "process a delivery again, with the current settings of the source"],
    ["--new-task", "create another task if the delivery created one already"],
    ...TARGET_DETAILS,
  ],
  run: async (argv) => {
    const { values, positionals } = readArgs(argv, OPTIONS, { min: 1, max: 3, usage });
    const [action, name, word] = positionals;
    const mesh = await controllerOf(values);
    const json = values.json === true;
    if (action === "list" && name === undefined) return listSources(mesh, json);
    if (action === "test" && name !== undefined)
      return testSource(mesh, name, await readSample(values, word), json);
    if (action === "deliveries" && name !== undefined && word === undefined)
      return listDeliveries(mesh, name, values);
    if (action === "replay" && name !== undefined && word !== undefined) {
      const newTask = values["new-task"] === true;
      const replayed = await mesh.webhooks.replay(name, word, { newTask });
      if (json) printJson(replayed);
      else if (replayed.task_id === null) print(`filtered: ${replayed.filtered ?? ""}`);
      else print(`${replayed.duplicate ? "already created" : "created"} task ${replayed.task_id}`);
      return 0;
    }
    throw wrongArguments(positionals, ACTIONS, usage);
  },
};

async function listSources(mesh: MeshClient, json: boolean): Promise<number> {
  const sources = await mesh.webhooks.list().toArray();
  if (json) printJson(sources);
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
}

type Sample = Parameters<MeshClient["webhooks"]["test"]>[1];

async function testSource(
  mesh: MeshClient,
  name: string,
  sample: Sample,
  json: boolean,
): Promise<number> {
  const shown = await mesh.webhooks.test(name, sample);
  if (json) printJson(shown);
  else printDryRun(shown);
  return shown.outcome === "task" ? 0 : 1;
}

function printDryRun({ outcome, reason, task, filters, signature }: DryRunView): void {
  print(`outcome    ${outcome}${reason === null ? "" : `: ${reason}`}`);
  if (signature !== null) print(`signature  ${signature}`);
  for (const { filter, holds, found } of filters) {
    const place = filter.path ?? `header ${filter.header}`;
    print(
      `filter     ${place} is ${JSON.stringify(found)}: ${holds ? "matches" : "does not match"}`,
    );
  }
  if (task === null) return;
  print(`kind       ${task.kind}`);
  print(`payload    ${JSON.stringify(task.payload)}`);
}

async function readSample(
  values: Values<typeof OPTIONS>,
  word: string | undefined,
): Promise<Sample> {
  const headers = Object.fromEntries((values.header ?? []).map(headerOf));
  const { delivery, event } = values;
  if ([delivery, event, word].filter((given) => given !== undefined).length !== 1)
    throw new UsageError(
      "pass exactly one sample: FILE, -, --event or --delivery",
      `usage: muster ${usage}`,
    );
  if (delivery !== undefined) return { delivery };
  const source =
    event ?? (word === "-" ? await readStandardInput("the sample") : await readText(String(word)));
  if (values.raw === true) return { body: source, headers };
  try {
    return { event: JSON.parse(source) as Json, headers };
  } catch {
    throw new UsageError("the sample is not JSON", "use --raw for a raw body");
  }
}

function headerOf(line: string): [string, string] {
  const colon = line.indexOf(":");
  if (colon < 1) throw new UsageError(`--header must have the form 'NAME: VALUE', not "${line}"`);
  return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
}

const readText = (path: string): Promise<string> =>
  readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new Failure(`cannot read ${path} (${error.code})`);
  });

async function listDeliveries(
  mesh: MeshClient,
  name: string,
  values: Values<typeof OPTIONS>,
): Promise<number> {
  const outcome = choiceOption("outcome", values.outcome, DELIVERY_OUTCOMES);
  const all: KeptDelivery[] = [];
  const filter = outcome === undefined ? {} : { outcome };
  for await (const each of mesh.webhooks.deliveries(name, filter)) all.push(each);
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
}
