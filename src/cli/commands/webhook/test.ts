import { usageLine } from "../../command-name.ts";
import type { DryRun, Json, MeshClient } from "../../../client/index.ts";
import { action } from "../../actions.ts";
import type { Values } from "../../args.ts";
import { UsageError } from "../../failure.ts";
import { readInputFile } from "../../files.ts";
import { print, printJson } from "../../output.ts";
import { readStandardInput } from "../../standard-input.ts";
import { controllerOf } from "../../target.ts";

const usage =
  "test NAME [FILE | -] [--event JSON] [--delivery ID] [--raw] [--header 'NAME: VALUE']...";

const OPTIONS = {
  event: { type: "string" },
  raw: { type: "boolean" },
  delivery: { type: "string" },
  header: { type: "string", multiple: true },
} as const;

/** Shows what a sample would become. */
export const test = action({
  usage,
  summary: "show which task a sample event would create; from FILE, - (stdin) or an option",
  details: [
    ["--event JSON", "the sample event"],
    ["--raw", "the sample is a raw request body, such as a form, and not JSON"],
    ["--delivery ID", "use a stored delivery as the sample"],
    ["--header 'NAME: VALUE'", "a header of the sample; repeatable"],
  ],
  options: OPTIONS,
  arguments: ["NAME", "[FILE]"],
  run: async (values, [name = "", file]) => {
    const sample = await readSample(values, file);
    const shown = await (await controllerOf(values)).webhooks.test(name, sample);
    if (values.json === true) printJson(shown);
    else printDryRun(shown);
    return shown.outcome === "task" ? 0 : 1;
  },
});

type Sample = Parameters<MeshClient["webhooks"]["test"]>[1];

function printDryRun({ outcome, reason, task, filters, signature }: DryRun): void {
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
  print(`payload    ${task.payload_text}`);
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
      usageLine(`webhook ${usage}`),
    );
  if (delivery !== undefined) {
    if (values.raw === true || values.header !== undefined)
      throw new UsageError(
        "--raw and --header describe a sample of your own, and --delivery is a recorded one",
        "leave them out",
      );
    return { delivery };
  }
  const source =
    event ??
    (word === "-"
      ? await readStandardInput("the sample")
      : await readInputFile(String(word), "it is the sample"));
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
