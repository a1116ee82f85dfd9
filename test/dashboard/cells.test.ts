import { describe, expect, it, test } from "vitest";
import {
  cellNotes,
  cellRows,
  changeText,
  hasSeveralCells,
  peersText,
} from "../../dashboard/src/model/cells.ts";
import { findingsOf } from "../../dashboard/src/model/findings.ts";
import { figuresOf } from "../../dashboard/src/model/throughput.ts";
import type { CellsView, CellView } from "../../src/protocol/http.ts";
import { samplePeer, sampleStats } from "./samples.ts";

const FIGURES = {
  topology_version: 3,
  peers: { connected: 1_200, known: 1_500 },
  tasks: { waiting: 6, running: 7 },
  database: { used_bytes: 1, limit_bytes: 10 },
  messages: 0,
  moving: { cells: 0, peers: 0 },
};
const LEFT = {
  peers: 1,
  open_tasks: 0,
  ended_tasks: 3,
  keys: 4_000,
  forwards: 0,
  uploads: 0,
  deliveries: 2,
  audit: 0,
  messages: 0,
};
const NOTHING = Object.fromEntries(Object.keys(LEFT).map((name) => [name, 0])) as typeof LEFT;

type Figures = NonNullable<CellView["figures"]>;
const cellOf = (
  cell: number,
  more: Partial<Figures> = {},
  state: CellView["state"] = "active",
): CellView => ({ cell, state, answers: true, figures: { ...FIGURES, ...more } });
const silent = (cell: number, state: CellView["state"] = "active"): CellView => ({
  cell,
  state,
  answers: false,
  figures: null,
});
const viewOf = (cells: readonly CellView[], more: Partial<CellsView> = {}): CellsView => ({
  wanted: cells.length,
  topology_version: 3,
  changing: false,
  cells: [...cells],
  ...more,
});

describe("the cells in the overview", () => {
  it("DB50 is shown for a mesh of several cells, and while their number changes", () => {
    expect(hasSeveralCells(viewOf([cellOf(0)]))).toBe(false);
    expect(hasSeveralCells(viewOf([cellOf(0), silent(1, "removed")]))).toBe(false);
    expect(hasSeveralCells(viewOf([cellOf(0)], { wanted: 4, changing: true }))).toBe(true);
    expect(hasSeveralCells(viewOf([cellOf(0), silent(1)]))).toBe(true);
  });

  it("DB50 has a row for each cell that was not removed, also for one that does not answer", () => {
    const rows = cellRows(
      viewOf([cellOf(0), silent(1), cellOf(2, {}, "draining"), silent(3, "removed")]),
    );
    expect(rows.map(({ cell, state }) => [cell, state])).toEqual([
      [0, "active"],
      [1, "does_not_answer"],
      [2, "draining"],
    ]);
    expect(rows.map(({ figures }) => figures === null)).toEqual([false, true, false]);
    expect(peersText(FIGURES)).toBe("1,200 of 1,500");
  });

  test.each([
    ["2 cells", viewOf([cellOf(0), cellOf(1)])],
    ["growing to 4 cells", viewOf([cellOf(0), cellOf(1)], { wanted: 4, changing: true })],
    [
      "draining to 1 cell",
      viewOf([cellOf(0), cellOf(1, {}, "draining")], { wanted: 1, changing: true }),
    ],
  ])("DB50 says %s", (text, view) => {
    expect(changeText(view)).toBe(text);
  });

  it("DB50 says what moves, what a draining cell still has, and which messages wait", () => {
    const waiting = [{ cell: 0, messages: 12, oldest_wait_seconds: 720, first: "facts" }];
    const view = viewOf([
      cellOf(0, { moving: { cells: 2, peers: 30 } }),
      cellOf(1, { left: LEFT, waiting }, "draining"),
      cellOf(2, { left: NOTHING }, "draining"),
      silent(3),
    ]);
    expect(cellNotes(view)).toEqual([
      "Cell 0 gets 30 peers and keys of 2 other cells",
      "Cell 0 has not taken 12 messages of cell 1, the oldest for 12 min. The first is: facts",
      "Cell 1 drains and still has 1 peer or key, 3 ended tasks, 4,000 idempotency keys, 2 webhook deliveries",
      "Cell 2 drains and still has nothing, and is about to be removed",
    ]);
  });

  it("DB50 escapes what would reorder or hide text", () => {
    const waiting = [{ cell: 0, messages: 1, oldest_wait_seconds: 1, first: "a\u202eb\u0000\nc" }];
    const [note = ""] = cellNotes(viewOf([cellOf(0), cellOf(1, { waiting })]));
    for (const hostile of ["\u202e", "\u0000", "\n"]) expect(note).not.toContain(hostile);
    expect(note).toContain("\\u202e");
  });

  it.each(["cell_down", "cell_messages"] as const)("DB50 the alert %s is severe", (alert) => {
    const times = { since: "2026-01-01T00:00:00Z", fired_at: "2026-01-01T00:02:00Z" };
    const subject = { alert, key: `${alert}:1`, peer: null, kind: null, cell: 1 };
    const findings = findingsOf({
      unread: null,
      peers: [samplePeer()],
      stats: sampleStats(),
      figures: figuresOf([], 0, 300_000, null),
      storage: null,
      notReady: null,
      alerts: [{ ...subject, ...times, value: 120, threshold: 120, message: "cell 1 …" }],
    });
    expect(findings).toMatchObject([{ severity: "bad", text: "cell 1 …" }]);
  });
});
