import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import type { Controller, DryRunView, Json, KeptDelivery } from "../../client/index.ts";
import { DELIVERY_OUTCOMES } from "../../protocol/http.ts";
import { choiceOption, readArgs, type Command, type Values } from "../args.ts";
import { Failure, UsageError } from "../failure.ts";
import { plain, print, printJson, table } from "../output.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";

const usage =
  "webhook list | test NAME [FILE | -] | deliveries NAME | replay NAME DELIVERY [--new-task]";

const OPTIONS = {
  ...TARGET_OPTIONS,
  event: { type: "string" },
  raw: { type: "boolean" },
  delivery: { type: "string" },
  header: { type: "string", multiple: true },
  outcome: { type: "string" },
  "new-task": { type: "boolean" },
} as const;

/** Tries webhook sources out, and looks after their deliveries. */
export const webhook: Command = {
  usage,
  summary: "try webhook sources out, list their deliveries, replay one",
  details: [
    ["list", "the sources"],
    ["test NAME", "what a sample event would become, and why; from FILE, - (stdin) or --event"],
    ["--event JSON", "the sample itself"],
    ["--raw", "the sample is a body as it was sent (a form, say), not JSON"],
    ["--delivery ID", "the sample is a delivery that is kept"],
    ["--header 'NAME: VALUE'", "a header of the sample; may be repeated"],
    ["deliveries NAME", "the recent ones, newest first"],
    ["--outcome WORD", `only those of this outcome (${DELIVERY_OUTCOMES.join(", ")})`],
    ["replay NAME DELIVERY", "take one once more, by the source as it is now"],
    ["--new-task", "also when it became a task: make another"],
    ...TARGET_DETAILS,
  ],
  run: async (argv) => {
    const { values, positionals } = readArgs(argv, OPTIONS, { min: 1, max: 3, usage });
    const [action, name, word] = positionals;
    const mesh = await controllerOf(values);
    const json = values.json === true;
    if (action === "list" && name === undefined) return list(mesh, json);
    if (action === "test" && name !== undefined)
      return test(mesh, name, await sampleOf(values, word), json);
    if (action === "deliveries" && name !== undefined && word === undefined)
      return deliveries(mesh, name, values);
    if (action === "replay" && name !== undefined && word !== undefined) {
      const newTask = values["new-task"] === true;
      const taken = await mesh.webhooks.replay(name, word, { newTask });
      if (json) printJson(taken);
      else if (taken.task_id === null) print(`left out: ${plain(taken.filtered ?? "")}`);
      else print(`${taken.duplicate ? "had become" : "became"} task ${taken.task_id}`);
      return 0;
    }
    throw new UsageError(`"${positionals.join(" ")}" is not understood`, `usage: muster ${usage}`);
  },
};

async function list(mesh: Controller, json: boolean): Promise<number> {
  const sources = await mesh.webhooks.list();
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
    print(table(["name", "scheme", "task kind", "filters", "tasks made"], rows));
  }
  return 0;
}

type Sample = Parameters<Controller["webhooks"]["test"]>[1];

async function test(
  mesh: Controller,
  name: string,
  sample: Sample,
  json: boolean,
): Promise<number> {
  const shown = await mesh.webhooks.test(name, sample);
  if (json) printJson(shown);
  else describe(shown);
  return shown.outcome === "task" ? 0 : 1;
}

function describe({ outcome, reason, task, filters, signature }: DryRunView): void {
  print(`outcome    ${outcome}${reason === null ? "" : `: ${plain(reason)}`}`);
  if (signature !== null) print(`signature  ${signature}`);
  for (const { filter, holds, found } of filters) {
    const place = filter.path ?? `header ${filter.header}`;
    print(
      `filter     ${plain(place)} is ${plain(JSON.stringify(found))}: ${holds ? "holds" : "does not hold"}`,
    );
  }
  if (task === null) return;
  print(`kind       ${task.kind}`);
  print(`payload    ${plain(JSON.stringify(task.payload))}`);
}

async function sampleOf(values: Values<typeof OPTIONS>, word: string | undefined): Promise<Sample> {
  const headers = Object.fromEntries((values.header ?? []).map(headerOf));
  const { delivery, event } = values;
  if ([delivery, event, word].filter((given) => given !== undefined).length !== 1)
    throw new UsageError(
      "give one sample: FILE, -, --event or --delivery",
      `usage: muster ${usage}`,
    );
  if (delivery !== undefined) return { delivery };
  const source = event ?? (word === "-" ? await text(process.stdin) : await fileText(String(word)));
  if (values.raw === true) return { body: source, headers };
  try {
    return { event: JSON.parse(source) as Json, headers };
  } catch {
    throw new UsageError("the sample is not JSON", "--raw takes it as it is");
  }
}

function headerOf(line: string): [string, string] {
  const colon = line.indexOf(":");
  if (colon < 1) throw new UsageError(`--header takes 'NAME: VALUE', not "${line}"`);
  return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
}

const fileText = (path: string): Promise<string> =>
  readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new Failure(`${path} can't be read (${error.code})`);
  });

async function deliveries(
  mesh: Controller,
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
    print(table(["delivery", "received", "outcome", "task, or why none", "replayable"], rows));
  }
  return 0;
}
