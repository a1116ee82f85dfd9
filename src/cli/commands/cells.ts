import type { CellsView, CellView } from "../../protocol/http.ts";
import { command } from "../command.ts";
import { print, printJson } from "../output.ts";
import { table } from "../table.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";

const MEGABYTE = 1_000_000;

/** Prints the cells of a mesh. */
export const cells = command({
  usage: "cells",
  summary: "list the cells of the mesh, what each has, and what of a change is left",
  details: [...TARGET_DETAILS],
  examples: ["cells", "cells --json"],
  options: TARGET_OPTIONS,
  arguments: [],
  run: async (values) => {
    const mesh = await controllerOf(values);
    const found = await mesh.cells();
    if (values.json === true) printJson(found);
    else {
      const notes = found.cells.flatMap(notesOf);
      const lines = table(HEADINGS, found.cells.map(rowOf));
      print([...lines, ...(notes.length > 0 ? ["", ...notes] : []), "", changeText(found)]);
    }
    return 0;
  },
});

const HEADINGS = [
  "CELL",
  "STATE",
  "VERSION",
  "CONNECTED",
  "PEERS",
  "WAITING",
  "RUNNING",
  "DATABASE",
  "MESSAGES",
  "MOVING",
];

function rowOf({ cell, state, answers, figures }: CellView): readonly (string | number)[] {
  if (figures === null)
    return [cell, answers || state === "removed" ? state : `${state}, does not answer`];
  const { topology_version, peers, tasks, database, messages, moving } = figures;
  const [used, limit] = [database.used_bytes, database.limit_bytes].map(megabytes);
  return [
    cell,
    state,
    topology_version,
    peers.connected,
    peers.known,
    tasks.waiting,
    tasks.running,
    `${used} of ${limit} MB`,
    messages,
    moving.cells === 0 ? 0 : `${moving.peers} from ${moving.cells}`,
  ];
}

/** What a cell still keeps, and what it waits for. */
function notesOf({ cell, figures }: CellView): readonly string[] {
  const { left, waiting = [] } = figures ?? {};
  const links = waiting.map(
    ({ cell: to, messages, oldest_wait_seconds, first }) =>
      `${counted(messages, "message")} of cell ${cell} for cell ${to} not taken, the oldest for ${Math.round(oldest_wait_seconds)} s; the first: ${first}`,
  );
  if (left === undefined) return links;
  const kept = LEFT.flatMap(([name, text]) => (left[name] > 0 ? [`${left[name]} ${text}`] : []));
  const what = kept.length === 0 ? "nothing; it is removed within 5 minutes" : kept.join(", ");
  return [`cell ${cell} drains and still has: ${what}`, ...links];
}

type Left = NonNullable<NonNullable<CellView["figures"]>["left"]>;

const LEFT = [
  ["peers", "peers and entries of the lists of keys"],
  ["open_tasks", "open tasks"],
  ["ended_tasks", "ended tasks"],
  ["keys", "idempotency keys"],
  ["forwards", "forwards of moved tasks"],
  ["uploads", "uploads of results"],
  ["deliveries", "webhook deliveries"],
  ["audit", "audit entries"],
  ["messages", "messages for other cells"],
] as const satisfies readonly (readonly [keyof Left, string])[];

const counted = (count: number, what: string): string =>
  count === 1 ? `1 ${what}` : `${count} ${what}s`;

const megabytes = (bytes: number): string => (bytes / MEGABYTE).toFixed(0);

function changeText({ wanted, changing, cells: all }: CellsView): string {
  const count = wanted === 1 ? "1 cell is" : `${wanted} cells are`;
  if (changing) return `${count} wanted (CELLS); a change is in progress`;
  const silent = all.filter(({ state, answers }) => state !== "removed" && !answers).length;
  return silent === 0
    ? `${count} wanted (CELLS); no change is in progress`
    : `${count} wanted (CELLS); ${silent} of them ${silent === 1 ? "does" : "do"} not answer`;
}
