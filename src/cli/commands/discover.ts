import type { DiscoverOptions, Discovered, PeerRecord } from "../../client/index.ts";
import { REGIONS } from "../../protocol/discovery.ts";
import { ROLES } from "../../protocol/messages.ts";
import { choiceOption, numberOption, readArgs, type Command, type Values } from "../args.ts";
import { print, printJson, printJsonLine } from "../output.ts";
import { table } from "../table.ts";
import { stopSignal } from "../signals.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";

const usage =
  "discover [--role ROLE] [--capability LABEL] [--kind KIND] [--min-score SCORE] [--follow] ...";

const OPTIONS = {
  ...TARGET_OPTIONS,
  role: { type: "string" },
  capability: { type: "string" },
  kind: { type: "string" },
  region: { type: "string" },
  "min-score": { type: "string" },
  replica: { type: "string", multiple: true },
  follow: { type: "boolean" },
} as const;

/** Finds peers by their published records, and follows changes. */
export const discover: Command = {
  usage,
  summary: "find peers by their sealed records, and follow changes",
  details: [
    ["--role ROLE", `only peers with this role (${ROLES.join(", ")})`],
    ["--capability LABEL", "only peers with this capability"],
    ["--kind KIND", "only peers that handle this kind of task"],
    ["--region REGION", `only peers in this region (${REGIONS.join(", ")})`],
    ["--min-score SCORE", "only peers with at least this score, 0 to 1"],
    ["--replica URL", "a replica to query before the mesh; repeatable"],
    ["--follow", "then print one line per change, until stopped"],
    ...TARGET_DETAILS,
  ],
  run: async (argv) => {
    const { values } = readArgs(argv, OPTIONS, { min: 0, max: 0, usage });
    const filter = filterOf(values);
    const mesh = await controllerOf(values);
    const follow = values.follow === true;
    const changes = mesh.discovery
      .withReplicas(values.replica)
      .discover({ ...filter, ...(follow && { follow, signal: stopSignal() }) });
    const found: PeerRecord[] = [];
    for await (const change of changes)
      if (!follow) {
        if (change.type === "found") found.push(change.peer);
      } else if (values.json === true) printJsonLine(change);
      else print(changeLine(change));
    if (follow) return 0;
    if (values.json === true) printJson(found);
    else print(found.length === 0 ? "no peers" : table(HEADINGS, found.map(row)));
    return 0;
  },
};

function filterOf(values: Values<typeof OPTIONS>): DiscoverOptions {
  const role = choiceOption("role", values.role, ROLES);
  const region = choiceOption("region", values.region, REGIONS);
  const minScore = numberOption("min-score", values["min-score"]);
  const { capability, kind } = values;
  return {
    ...(role !== undefined && { role }),
    ...(region !== undefined && { region }),
    ...(minScore !== undefined && { minScore }),
    ...(capability !== undefined && { capability }),
    ...(kind !== undefined && { kind }),
  };
}

const HEADINGS = ["id", "name", "role", "region", "score", "capabilities", "kinds"];

const row = ({ id, name, role, region, score, capabilities, kinds }: PeerRecord): string[] => [
  id,
  name,
  role,
  region ?? "-",
  score.toFixed(2),
  capabilities.join(" "),
  kinds.join(" "),
];

const changeLine = (change: Discovered): string =>
  change.type === "gone" ? `gone   ${change.id}` : `found  ${row(change.peer).join("  ")}`;
