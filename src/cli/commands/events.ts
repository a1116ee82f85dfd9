import type { EventOptions, MeshEvent } from "../../client/index.ts";
import { command } from "../command.ts";
import { commandName } from "../command-name.ts";
import { peerId, taskId } from "../identifiers.ts";
import { quoted } from "../join-command.ts";
import { eventText } from "../mesh-event-text.ts";
import { note, print, printJsonLine } from "../output.ts";
import { stopSignal } from "../signals.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";
import { OUTAGE_MS } from "../wait/outage.ts";
import { sameTarget } from "../wait/same-target.ts";

const FILTERS = {
  type: { type: "string" },
  kind: { type: "string" },
  owner: { type: "string" },
  peer: { type: "string" },
  task: { type: "string" },
} as const;
const OPTIONS = { ...TARGET_OPTIONS, ...FILTERS, after: { type: "string" } } as const;
type FilterName = keyof typeof FILTERS;
type Filters = { readonly [Name in FilterName]?: string };

/** Prints what changes in the mesh, until it is stopped. */
export const events = command({
  usage:
    "events [--type TYPES] [--kind KIND] [--owner OWNER] [--peer PEER_ID] [--task IDS] [--after POSITION]",
  summary: "print what changes in the mesh, as it happens",
  details: [
    [
      "--type TYPES",
      "beginnings of types, separated by commas, such as task.failed,peer. (docs/events.md)",
    ],
    ["--kind KIND", "only events of tasks of this kind"],
    ["--owner OWNER", "only events of the tasks of this token or peer, admin, or webhook:SOURCE"],
    ["--peer PEER_ID", "only events of this peer"],
    ["--task IDS", "only events of these tasks, separated by commas"],
    [
      "--after POSITION",
      "begin after this position, or with the oldest event; default: with the next one",
    ],
    ...TARGET_DETAILS,
  ],
  examples: ["events --type task.failed,circuit.", "events --after oldest --json"],
  options: OPTIONS,
  arguments: [],
  run: async (values) => {
    const selected = optionsOf(values);
    const mesh = await controllerOf(values);
    const signal = stopSignal();
    // A mesh that was never there is not waited for.
    await mesh.settings.mesh();
    let position: string | undefined;
    try {
      const options = { ...selected, signal, outageMs: OUTAGE_MS };
      for await (const event of mesh.events(options)) {
        show(event, values.json === true);
        position = event.id;
      }
      return 0;
    } catch (error) {
      if (position !== undefined) note(howToGoOn(position, values));
      throw error;
    }
  },
});

const show = (event: MeshEvent, json: boolean): void =>
  json ? printJsonLine(event) : print(eventText(event));

function optionsOf({
  type,
  task,
  after,
  ...values
}: Filters & { readonly after?: string }): EventOptions {
  const { kind, owner, peer } = values;
  return {
    ...(type !== undefined && { types: type.split(",") }),
    ...(kind !== undefined && { kind }),
    ...(owner !== undefined && { owner }),
    ...(peer !== undefined && { peer: peerId(peer, "--peer") }),
    ...(task !== undefined && { tasks: task.split(",").map((id) => taskId(id, "--task")) }),
    ...(after !== undefined && { after }),
  };
}

/** The command that prints the events after the last one that was printed. */
function howToGoOn(
  position: string,
  values: Filters & Parameters<typeof sameTarget>[0],
): readonly string[] {
  const names = Object.keys(FILTERS) as FilterName[];
  const filters = names.flatMap((name) => {
    const value = values[name];
    return value === undefined ? [] : [`--${name}`, quoted(value)];
  });
  const words = [commandName(), "events", "--after", position, ...filters, ...sameTarget(values)];
  return ["to go on after the last event:", `  ${words.join(" ")}`];
}
