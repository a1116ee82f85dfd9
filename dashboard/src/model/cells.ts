/** The cells of a mesh of several, as the overview shows them. */
import type { CellsView, CellView } from "../../../src/protocol/http.ts";
import { count, counted, duration, line } from "./format.ts";

export interface CellRow {
  readonly cell: number;
  /** In the words of `State`: that of the topology, or that the cell does not answer. */
  readonly state: string;
  /** Null: it has none, or does not say. */
  readonly figures: CellView["figures"];
}

/** Whether there is anything to show: one cell without a change is what there always was. */
export const hasSeveralCells = ({ cells, changing }: CellsView): boolean =>
  changing || cells.filter(({ state }) => state !== "removed").length > 1;

/** A row for each cell that has something. */
export const cellRows = ({ cells }: CellsView): readonly CellRow[] =>
  cells
    .filter(({ state }) => state !== "removed")
    .map(({ cell, state, answers, figures }) => ({
      cell,
      state: answers ? state : "does_not_answer",
      figures,
    }));

/** In a few words whether the number of cells changes. */
export function changeText({ wanted, changing, cells }: CellsView): string {
  const live = cells.filter(({ state }) => state !== "removed");
  const active = live.filter(({ state }) => state === "active").length;
  if (!changing) return counted(active, "cell");
  if (live.some(({ state }) => state === "draining"))
    return `draining to ${counted(wanted, "cell")}`;
  return `growing to ${counted(wanted, "cell")}`;
}

/** What a cell waits for, and what it still has: one sentence each. */
export function cellNotes({ cells }: CellsView): readonly string[] {
  return cells.flatMap(({ cell, figures }) =>
    figures === null
      ? []
      : [...waitingNotes(cell, figures), ...movingNote(cell, figures), ...leftNote(cell, figures)],
  );
}

type Figures = NonNullable<CellView["figures"]>;

const waitingNotes = (cell: number, { waiting = [] }: Figures): readonly string[] =>
  waiting.map(
    ({ cell: to, messages, oldest_wait_seconds: oldest, first }) =>
      `Cell ${to} has not taken ${counted(messages, "message")} of cell ${cell}, the oldest for ${duration(oldest * 1_000)}. The first is: ${line(first)}`,
  );

const movingNote = (cell: number, { moving }: Figures): readonly string[] =>
  moving.cells === 0
    ? []
    : [
        `Cell ${cell} gets ${counted(moving.peers, "peer or key", "peers and keys")} of ${counted(moving.cells, "other cell")}`,
      ];

const LEFT = {
  peers: ["peer or key", "peers and keys"],
  open_tasks: ["open task", "open tasks"],
  ended_tasks: ["ended task", "ended tasks"],
  keys: ["idempotency key", "idempotency keys"],
  forwards: ["forward of a moved task", "forwards of moved tasks"],
  uploads: ["upload of a result", "uploads of results"],
  deliveries: ["webhook delivery", "webhook deliveries"],
  audit: ["audit entry", "audit entries"],
  messages: ["message", "messages"],
} as const satisfies Record<keyof NonNullable<Figures["left"]>, readonly [string, string]>;

function leftNote(cell: number, { left }: Figures): readonly string[] {
  if (left === undefined) return [];
  const kept = Object.entries(LEFT).flatMap(([name, [one, many]]) => {
    const number = left[name as keyof typeof LEFT];
    return number > 0 ? [counted(number, one, many)] : [];
  });
  const what = kept.length === 0 ? "nothing, and is about to be removed" : kept.join(", ");
  return [`Cell ${cell} drains and still has ${what}`];
}

/** Of connected and known peers, as `12 of 15`. */
export const peersText = ({ peers }: Figures): string =>
  `${count(peers.connected)} of ${count(peers.known)}`;
