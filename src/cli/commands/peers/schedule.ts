import { usageLine } from "../../command-name.ts";
import type { PeerView } from "../../../client/index.ts";
import { PEER_STATES } from "../../../protocol/http.ts";
import { ROLES } from "../../../protocol/messages.ts";
import { action } from "../../actions.ts";
import type { Action } from "../../command.ts";
import { choiceOption, numberOption, type Details, type Values } from "../../args.ts";
import { UsageError } from "../../failure.ts";
import { peerId } from "../../identifiers.ts";
import { counted, print, printJson } from "../../output.ts";
import { table } from "../../table.ts";
import { controllerOf, type TARGET_OPTIONS } from "../../target.ts";

type Scheduling = "cordon" | "uncordon" | "drain";

const SELECTION = {
  capability: { type: "string", multiple: true },
  kind: { type: "string" },
  name: { type: "string" },
  role: { type: "string" },
  state: { type: "string" },
} as const;
const OPTIONS = { ...SELECTION, "dry-run": { type: "boolean" } } as const;
/** Only of `drain`. */
const DRAIN_OPTIONS = { ...OPTIONS, timeout: { type: "string" } } as const;

type DrainValues = Values<typeof DRAIN_OPTIONS & typeof TARGET_OPTIONS>;

const SELECTION_DETAILS: Details = [
  ["PEER_ID...", "these peers"],
  ["--capability X", "peers with this label; repeatable"],
  ["--kind KIND", "peers that handle this kind"],
  ["--name NAME", "peers of this name"],
  ["--role ROLE", `peers with this role (${ROLES.join(", ")})`],
  ["--state STATE", `peers in this state (${PEER_STATES.join(", ")})`],
  ["--dry-run", "change nothing: show the peers that would change"],
];

const scheduling = (change: Scheduling, summary: string, details: Details = []): Action => {
  const usage = `${change} PEER_ID... | --capability X | --kind KIND | --name NAME | ...`;
  return action({
    usage,
    summary,
    details,
    options: change === "drain" ? DRAIN_OPTIONS : OPTIONS,
    arguments: ["[PEER_ID...]"],
    run: async (values: DrainValues, positionals) => {
      const select = selectionOf(values, positionals);
      if (Object.keys(select).length === 0)
        throw new UsageError("name a peer, or give a condition", usageLine(`peers ${usage}`));
      const timeoutSeconds = numberOption("timeout", values.timeout);
      const dryRun = values["dry-run"] === true;
      const mesh = await controllerOf(values);
      const found = await mesh.peers.schedule(change, select, {
        dryRun,
        ...(timeoutSeconds !== undefined && { timeoutSeconds }),
      });
      if (values.json === true) printJson(found);
      else if (found.length === 0)
        print(`no peer to change: none matches, or each is ${CHANGED[change]} already`);
      else printPeers(found, dryRun ? `would be ${CHANGED[change]}` : null);
      return 0;
    },
  });
};

function selectionOf(values: Values<typeof SELECTION>, ids: readonly string[]) {
  const { capability, kind, name } = values;
  const role = choiceOption("role", values.role, ROLES);
  const state = choiceOption("state", values.state, PEER_STATES);
  return {
    ...(ids.length > 0 && { ids: ids.map((id) => peerId(id, "PEER_ID")) }),
    ...(capability !== undefined && { capabilities: capability }),
    ...(kind !== undefined && { kind }),
    ...(name !== undefined && { name }),
    ...(role !== undefined && { role }),
    ...(state !== undefined && { state }),
  };
}

const CHANGED: { readonly [S in Scheduling]: string } = {
  cordon: "cordoned",
  uncordon: "uncordoned",
  drain: "drained",
};

function printPeers(found: readonly PeerView[], plan: string | null): void {
  if (plan !== null) print(`${counted(found.length, "peer")} ${plan}`);
  print(table(["id", "name", "state", "scheduling", "tasks"], found.map(row)));
}

const row = ({ id, name, state, scheduling: shown, tasks, slots }: PeerView) => [
  id,
  name,
  state,
  shown,
  `${tasks}/${slots}`,
];

/** The peers get no new tasks. */
export const cordon = scheduling("cordon", "peers get no new tasks until they are uncordoned", [
  ...SELECTION_DETAILS,
]);

/** The peers get tasks again. */
export const uncordon = scheduling(
  "uncordon",
  "peers get tasks again; takes the options of cordon",
);

/** The peers finish what they run and leave. */
export const drain = scheduling(
  "drain",
  "peers finish what they run and leave; takes the options of cordon",
  [["--timeout SECONDS", "how long running tasks may take; default: 600"]],
);
