import type { CellsView, CellView } from "../../protocol/http.ts";
import { command } from "../command.ts";
import { counted, print, printJson } from "../output.ts";
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
    moving.peers,
  ];
}

/** What a cell still keeps, and what it waits for. */
function notesOf({ cell, figures }: CellView): readonly string[] {
  if (figures === null) return [];
  const { left, moving, waiting = [] } = figures;
  const links = waiting.map(
    ({ cell: to, messages, oldest_wait_seconds, first }) =>
      `${counted(messages, "message")} of cell ${cell} for cell ${to} not taken, the oldest for ${Math.round(oldest_wait_seconds)} s; the first: ${first}`,
  );
  if (moving.cells > 0)
    links.push(
      `cell ${cell} gets ${counted(moving.peers, "peer or key", "peers and keys")} from ${counted(moving.cells, "other cell")}`,
    );
  if (left === undefined) return links;
  const kept = LEFT.flatMap(([name, one, many]) =>
    left[name] > 0 ? [counted(left[name], one, many)] : [],
  );
  const what = kept.length === 0 ? "nothing; it is removed within 5 minutes" : kept.join(", ");
  return [`cell ${cell} drains and still has: ${what}`, ...links];
}

type Left = NonNullable<NonNullable<CellView["figures"]>["left"]>;

const LEFT = [
  ["peers", "peer or key", "peers and keys"],
  ["open_tasks", "open task", "open tasks"],
  ["ended_tasks", "ended task", "ended tasks"],
  ["keys", "idempotency key", "idempotency keys"],
  ["forwards", "forward of a moved task", "forwards of moved tasks"],
  ["uploads", "upload of a result", "uploads of results"],
  ["deliveries", "webhook delivery", "webhook deliveries"],
  ["audit", "audit entry", "audit entries"],
  ["messages", "message for other cells", "messages for other cells"],
] as const satisfies readonly (readonly [keyof Left, string, string])[];

const megabytes = (bytes: number): string => (bytes / MEGABYTE).toFixed(0);

function changeText({ wanted, changing, cells: all }: CellsView): string {
  const live = all.filter(({ state }) => state !== "removed");
  const silent = live.filter(({ answers }) => !answers).length;
  const drains = live.some(({ state }) => state === "draining");
  return [
    `${counted(wanted, "cell is", "cells are")} wanted (CELLS)`,
    `${changing ? "a" : "no"} change is in progress`,
    ...(drains ? ["a cell that drains is removed by itself once it has nothing left"] : []),
    ...(silent > 0 ? [counted(silent, "cell does not answer", "cells do not answer")] : []),
  ].join("; ");
}
