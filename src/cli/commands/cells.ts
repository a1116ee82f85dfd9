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
    else print([...table(HEADINGS, found.cells.map(rowOf)), "", changeText(found)]);
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

const megabytes = (bytes: number): string => (bytes / MEGABYTE).toFixed(0);

function changeText({ wanted, changing, cells: all }: CellsView): string {
  const count = wanted === 1 ? "1 cell is" : `${wanted} cells are`;
  if (changing) return `${count} wanted (CELLS); a change is in progress`;
  const silent = all.filter(({ state, answers }) => state !== "removed" && !answers).length;
  return silent === 0
    ? `${count} wanted (CELLS); no change is in progress`
    : `${count} wanted (CELLS); ${silent} of them ${silent === 1 ? "does" : "do"} not answer`;
}
