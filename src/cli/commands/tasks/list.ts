import type { TaskSummary } from "../../../client/index.ts";
import { TASK_STATES } from "../../../protocol/http.ts";
import { action } from "../../actions.ts";
import { choiceOption, positiveOption } from "../../args.ts";
import { optionalPeerId } from "../../identifiers.ts";
import { print, printJson } from "../../output.ts";
import { table } from "../../table.ts";
import { controllerOf } from "../../target.ts";

/** Number of tasks that are listed unless `--limit` says otherwise. */
const LIMIT_DEFAULT = 50;

const usage =
  "list [--state STATE] [--kind KIND] [--source SOURCE] [--peer ID] [--owner ID] [--limit N]";

/** Lists the newest tasks. */
export const list = action({
  usage,
  summary: "list tasks, newest first",
  details: [
    ["--state STATE", `only tasks in this state (${TASK_STATES.join(", ")})`],
    ["--kind KIND", "only tasks of this kind"],
    ["--source SOURCE", "only tasks that came this way: api, peer, or webhook:NAME"],
    ["--peer ID", "only tasks that this peer holds, or ended"],
    ["--owner ID", "only tasks of this owner: a token's ID, admin, or a peer's ID"],
    ["--limit N", `how many; default: ${LIMIT_DEFAULT}`],
  ],
  options: {
    state: { type: "string" },
    kind: { type: "string" },
    source: { type: "string" },
    peer: { type: "string" },
    owner: { type: "string" },
    limit: { type: "string" },
  },
  arguments: [],
  run: async (values) => {
    const state = choiceOption("state", values.state, TASK_STATES);
    const { kind, owner, source } = values;
    const peerId = optionalPeerId(values.peer, "--peer");
    const limit = positiveOption("limit", values.limit) ?? LIMIT_DEFAULT;
    const mesh = await controllerOf(values);
    const filter = {
      ...(state !== undefined && { state }),
      ...(kind !== undefined && { kind }),
      ...(owner !== undefined && { owner }),
      ...(source !== undefined && { source }),
      ...(peerId !== undefined && { peerId }),
    };
    const found: TaskSummary[] = [];
    for await (const task of mesh.tasks.list(filter)) {
      if (found.length >= limit) break;
      found.push(task);
    }
    if (values.json === true) printJson(found);
    else if (found.length === 0) print("no tasks");
    else print(table(["task", "kind", "state", "owner", "created", "error"], found.map(row)));
    return 0;
  },
});

const row = ({ id, kind, state, owner, created_at, error }: TaskSummary) => [
  id,
  kind,
  state,
  owner ?? "-",
  created_at,
  error ?? "",
];
