import {
  degradedText,
  MusterApiError,
  type DiscoverOptions,
  type Discovered,
  type DiscoveryReader,
  type PeerRecord,
} from "../../client/index.ts";
import { REGIONS } from "../../protocol/discovery.ts";
import { ROLES } from "../../protocol/messages.ts";
import { choiceOption, numberOption, type Values } from "../args.ts";
import { command } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { note, print, printJson, printJsonLine } from "../output.ts";
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
  "max-age": { type: "string" },
  follow: { type: "boolean" },
} as const;

/** Finds peers by their published records, and follows changes. */
export const discover = command({
  usage,
  summary: "find peers by their sealed records, and follow changes",
  details: [
    ["--role ROLE", `only peers with this role (${ROLES.join(", ")})`],
    ["--capability LABEL", "only peers with this capability"],
    ["--kind KIND", "only peers that handle this kind of task"],
    ["--region REGION", `only peers in this region (${REGIONS.join(", ")})`],
    ["--min-score SCORE", "only peers with at least this score, 0 to 1"],
    ["--replica URL", "a replica to query before the mesh; repeatable"],
    ["--max-age SECONDS", "how long ago the mesh may have signed the list; default 3600"],
    ["--follow", "then print one line per change, until stopped"],
    ...TARGET_DETAILS,
  ],
  examples: ["discover --capability gpu", "discover --kind resize --follow --json"],
  options: OPTIONS,
  arguments: [],
  run: async (values) => {
    const filter = filterOf(values);
    const mesh = await controllerOf(values);
    const maxAge = numberOption("max-age", values["max-age"]);
    const reader = mesh.discovery.withReplicas(
      values.replica,
      maxAge === undefined ? {} : { maxAgeMs: maxAge * 1_000 },
    );
    const json = values.json === true;
    try {
      return await (values.follow === true
        ? follow(reader, filter, json)
        : list(reader, filter, json));
    } catch (error) {
      if (!(error instanceof MusterApiError) || error.status !== 401) throw error;
      // It throws if it is the caller's token that the mesh refuses. Else the keys are good, and nobody may read with them.
      await mesh.discovery.keys();
      throw new MusterApiError("unavailable", 503, NO_READERS, { cause: error });
    }
  },
});

const NO_READERS =
  "nobody can read discovery at the moment: a member has lost its right, and new keys are made at most 10 minutes after the last ones; try again then";

/** Prints the peers once. What could not be read is on stderr and in the exit code, so that a shorter list is not taken for a complete one. */
async function list(
  reader: DiscoveryReader,
  filter: DiscoverOptions,
  json: boolean,
): Promise<number> {
  const { peers, degraded } = await reader.peers(filter);
  if (json) printJson(peers);
  else if (peers.length > 0) print(table(HEADINGS, peers.map(row)));
  else if (degraded === null) print("no peers");
  if (degraded === null) return 0;
  note(`incomplete: ${degradedText(degraded)}`);
  return EXIT.incomplete;
}

/** Prints one line per change until a signal. The exit code says whether everything could be read at the end. */
async function follow(
  reader: DiscoveryReader,
  filter: DiscoverOptions,
  json: boolean,
): Promise<number> {
  let isDegraded = false;
  for await (const change of reader.discover({ ...filter, follow: true, signal: stopSignal() })) {
    if (json) printJsonLine(change);
    else if (change.type === "found" || change.type === "gone") print(changeLine(change));
    if (change.type === "degraded") note(`incomplete: ${degradedText(change)}`);
    if (change.type === "recovered") note("complete again");
    if (change.type === "degraded" || change.type === "recovered")
      isDegraded = change.type === "degraded";
  }
  return isDegraded ? EXIT.incomplete : 0;
}

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

const changeLine = (change: Extract<Discovered, { type: "found" | "gone" }>): string =>
  change.type === "gone" ? `gone   ${change.id}` : `found  ${row(change.peer).join("  ")}`;
