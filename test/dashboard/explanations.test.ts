import { describe, expect, it } from "vitest";
import { cellsText, highestCost, RULED_OUT, segmentsOf } from "../../dashboard/src/model/cost.ts";
import { timelineOf } from "../../dashboard/src/model/timeline.ts";
import type { AttemptView, WhyView } from "../../src/protocol/http.ts";
import { RULE_WORDS } from "../../src/coordinator/tasks/waiting-reason.ts";

const COST = { rtt_ms: 10, wait_ms: 0, service_ms: 60, failure_ms: 20, loss_ms: 10, total_ms: 100 };

describe("the chart of a choice", () => {
  it("DB15 has each peer's expected cost by its parts, on one scale", () => {
    const contenders = [{ cost: COST }, { cost: null }, { cost: { ...COST, total_ms: 50 } }];
    expect(highestCost(contenders as unknown as WhyView["contenders"])).toBe(100);
    const segments = segmentsOf(COST, 200);
    expect(segments.map(({ name, share }) => [name, share])).toEqual([
      ["round trip", 0.05],
      ["doing the task", 0.3],
      ["risk of failing", 0.1],
      ["risk of losing the peer", 0.05],
    ]);
    expect(segmentsOf({ ...COST, rtt_ms: 0 }, 0).every(({ share }) => share === 0)).toBe(true);
  });

  it("CE50 says in which cell the task is, and which others were considered", () => {
    const text = (cell: number, ...considered: number[]) => cellsText({ cell, considered });
    expect(text(2, 2)).toBe(
      "The task is in cell 2, whose peers are compared. No other cell was considered.",
    );
    expect(text(2, 2, 1)).toContain("Cell 1 was considered, too.");
    expect(text(3, 2, 1, 3)).toContain("Cells 2, 1 were considered, too.");
  });

  it("DB15 has words for every rule by which a peer is ruled out", () => {
    expect(Object.keys(RULED_OUT).toSorted()).toEqual(Object.keys(RULE_WORDS).toSorted());
  });
});

describe("the timeline of a task", () => {
  const attempt = (started: string, ended: string | null): AttemptView => ({
    attempt: 1,
    peer_id: "0".repeat(32),
    peer_name: "",
    score: 0.5,
    state: "failed",
    started_at: started,
    ended_at: ended,
    error: null,
  });
  const created_at = "2026-01-01T00:00:00Z";

  it("DB16 places each attempt between the submission and the end", () => {
    const attempts = [
      attempt("2026-01-01T00:00:02Z", "2026-01-01T00:00:04Z"),
      attempt("2026-01-01T00:00:08Z", null),
    ];
    const spans = timelineOf({ created_at, ended_at: "2026-01-01T00:00:10Z" }, attempts, 0);
    expect(spans.map(({ from, to }) => [from, to])).toEqual([
      [0.2, 0.4],
      [0.8, 1],
    ]);
  });

  it("DB16 ends now while the task has not ended, and stays in its frame when clocks differ", () => {
    const now = Date.parse("2026-01-01T00:00:04Z");
    const attempts = [
      attempt("2026-01-01T00:00:02Z", null),
      attempt("2025-12-31T23:59:59Z", "2026-01-01T00:00:09Z"),
    ];
    expect(
      timelineOf({ created_at, ended_at: null }, attempts, now).map(({ from, to }) => [from, to]),
    ).toEqual([
      [0.5, 1],
      [0, 1],
    ]);
  });
});
