import { describe, expect, it, test } from "vitest";
import { findingsOf, type MeshFacts } from "../../dashboard/src/model/findings.ts";
import {
  GATHER_MS,
  pauseAfter,
  pauseAfterFailure,
  pauseBeforeChange,
  pauseWhileTold,
} from "../../dashboard/src/model/pace.ts";
import {
  figuresOf,
  INTERVAL_MS,
  INTERVALS,
  intervalsOf,
  percentile,
} from "../../dashboard/src/model/throughput.ts";
import type { AlertView, StorageView } from "../../src/protocol/http.ts";
import { samplePeer, sampleStats, sampleTask } from "./samples.ts";

const NOW = Date.parse("2026-01-01T01:00:00Z");
const at = (secondsAgo: number): string => new Date(NOW - secondsAgo * 1_000).toISOString();
const FIGURES = figuresOf([], NOW, 300_000, null);
const WELL: MeshFacts = {
  unread: null,
  peers: [samplePeer()],
  stats: sampleStats(),
  figures: FIGURES,
  storage: null,
  notReady: null,
  alerts: null,
};
const STORAGE: StorageView = {
  used_bytes: 1,
  limit_bytes: 10,
  removes_above_bytes: 8,
  accepts_up_to_bytes: 9,
  state: "ok",
  payload_retention_hours: 1,
  owners: [],
};

describe("whether everything is well", () => {
  it("DB12 it is, if nothing needs attention", () => {
    expect(findingsOf(WELL)).toEqual([]);
    expect(findingsOf({ ...WELL, peers: [], storage: STORAGE })).toEqual([]);
  });

  const circuit = { kind: null, state: "open", reason: "x", rests_until: at(0) } as const;
  test.each<[why: string, facts: Partial<MeshFacts>, severity: string, text: RegExp]>([
    ["it does not answer", { unread: "no answer\u202e" }, "bad", /not known.*no answer\\u202e/i],
    ["it is not ready", { notReady: "the disk is full" }, "bad", /not ready: the disk is full/],
    ["the database is full", { storage: { ...STORAGE, state: "full" } }, "bad", /database is full/],
    ["it makes room", { storage: { ...STORAGE, state: "making_room" } }, "warn", /nearly full/],
    [
      "tasks wait and no worker is there",
      { peers: [samplePeer({ slots: 0 })], stats: sampleStats({ waiting: 1 }) },
      "bad",
      /1 task waits, and no worker/,
    ],
    [
      "a task waits for long",
      { stats: sampleStats({ waiting: 2, oldest_wait_seconds: 90 }) },
      "warn",
      /waited for 1 min 30 s/,
    ],
    ["the queue fills up", { stats: sampleStats({ waiting: 900 }) }, "warn", /queue is 90 % full/],
    ["the queue is full", { stats: sampleStats({ waiting: 1_000 }) }, "bad", /100 % full/],
    [
      "many tasks fail",
      { figures: { ...FIGURES, ended: 10, failed: 2 } },
      "warn",
      /20 % of the tasks/,
    ],
    ["most tasks fail", { figures: { ...FIGURES, ended: 10, failed: 6 } }, "bad", /60 % of/],
    [
      "a peer keeps failing",
      { peers: [samplePeer({ circuits: [circuit] })] },
      "warn",
      /1 peer keeps failing/,
    ],
    [
      "a peer does not answer",
      { peers: [samplePeer({ state: "suspect" })] },
      "warn",
      /1 peer does not/,
    ],
  ])("DB12 it is not, if %s", (_, facts, severity, text) => {
    const findings = findingsOf({ ...WELL, ...facts });
    expect(findings).toHaveLength(1);
    expect(findings[0]?.severity).toBe(severity);
    expect(findings[0]?.text).toMatch(text);
  });

  const alert: AlertView = {
    alert: "peer_down",
    key: "peer_down:1",
    peer: "1".repeat(32),
    kind: null,
    since: at(600),
    fired_at: at(300),
    value: 300,
    threshold: 300,
    message: "peer \u202egpu was lost",
  };

  it("DB32 shows the alerts of the mesh, as text, and leads to their subjects", () => {
    const queue = {
      ...alert,
      alert: "queue_old",
      peer: null,
      kind: "a/b",
      message: "old",
    } as const;
    const mass = { ...alert, alert: "mass_failure", peer: null, message: "many" } as const;
    expect(findingsOf({ ...WELL, alerts: [alert, queue, mass] })).toEqual([
      { severity: "bad", text: "many", since: at(600) },
      {
        severity: "warn",
        text: "peer \\u202egpu was lost",
        since: at(600),
        link: `#/peers/${"1".repeat(32)}`,
      },
      { severity: "warn", text: "old", since: at(600), link: "#/tasks?state=queued&kind=a%2Fb" },
    ]);
  });

  it("DB32 leaves to the alerts what the mesh has alerts for, and finds the rest by itself", () => {
    const facts: MeshFacts = {
      ...WELL,
      alerts: [],
      peers: [samplePeer({ circuits: [circuit] }), samplePeer({ state: "suspect" })],
      stats: sampleStats({ waiting: 900, oldest_wait_seconds: 90 }),
      storage: { ...STORAGE, state: "making_room" },
      figures: { ...FIGURES, ended: 10, failed: 2 },
      notReady: "no",
    };
    expect(findingsOf(facts).map(({ text }) => text)).toEqual([
      "The mesh is not ready: no",
      expect.stringMatching(/20 % of the tasks/),
      "1 peer does not answer",
    ]);
    const without = { ...facts, peers: [samplePeer({ slots: 0 })], notReady: null };
    expect(findingsOf(without)[0]?.text).toMatch(/no worker is connected/);
  });

  it("DB12 says the worst first, and takes a few failures for nothing", () => {
    const findings = findingsOf({
      ...WELL,
      peers: [samplePeer({ state: "suspect" })],
      notReady: "no",
      figures: { ...FIGURES, ended: 3, failed: 3 },
    });
    expect(findings.map(({ severity }) => severity)).toEqual(["bad", "warn"]);
  });
});

describe("the figures of tasks", () => {
  const tasks = [
    sampleTask({ created_at: at(20), ended_at: at(10) }),
    sampleTask({ created_at: at(40), ended_at: at(20), state: "failed" }),
    sampleTask({ created_at: at(50), ended_at: at(49), state: "expired" }),
    sampleTask({ created_at: at(50), ended_at: at(48), state: "cancelled" }),
    sampleTask({ created_at: at(500), ended_at: at(400) }),
    sampleTask({ created_at: at(5), ended_at: null, state: "running" }),
  ];

  it("DB13 are about those that ended in the window; cancelled ones count as neither done nor failed", () => {
    const figures = figuresOf(tasks, NOW, 60_000, null);
    expect(figures).toMatchObject({ ended: 3, failed: 2, perMinute: 3, p50: 10_000, p99: 20_000 });
  });

  it("DB13 are about the time of which all tasks are known", () => {
    const figures = figuresOf(tasks, NOW, 60_000, NOW - 30_000);
    expect(figures).toMatchObject({ ended: 2, perMinute: 4, spanMs: 30_000 });
    expect(figuresOf([], NOW, 60_000, null)).toMatchObject({ perMinute: 0, p50: null, p99: null });
  });

  it("DB13 a percentile is a value that occurs", () => {
    expect(percentile([1, 2, 3, 4], 0.5)).toBe(2);
    expect(percentile([7], 0.99)).toBe(7);
    expect(percentile([], 0.5)).toBeNull();
  });

  it("the chart counts each task in the interval of its end", () => {
    const intervals = intervalsOf(tasks, NOW, null);
    expect(intervals).toHaveLength(INTERVALS);
    expect(intervals.reduce((sum, { succeeded }) => sum + succeeded, 0)).toBe(2);
    expect(intervals.reduce((sum, { failed }) => sum + failed, 0)).toBe(2);
    const last = intervals.at(-1);
    expect(last?.at).toBe(Math.floor(NOW / INTERVAL_MS) * INTERVAL_MS);
    const known = intervalsOf(tasks, NOW, NOW - 2 * INTERVAL_MS);
    expect(known.map(({ at: begins }) => begins - NOW)).toEqual([
      -2 * INTERVAL_MS,
      -INTERVAL_MS,
      0,
    ]);
  });
});

describe("how often the dashboard asks", () => {
  it("DB14 a request that takes long is repeated less often: it takes at most a twentieth of the time", () => {
    expect(pauseAfter(10, 2_000)).toBe(2_000);
    expect(pauseAfter(1_000, 2_000)).toBe(19_000);
    expect(pauseAfter(30_000, 2_000)).toBe(60_000);
  });

  it("DB14 after failures the pauses become longer, up to a minute", () => {
    expect([1, 2, 3, 50].map((failures) => pauseAfterFailure(failures, 2_000))).toEqual([
      2_000, 4_000, 8_000, 60_000,
    ]);
  });

  it("DB25 the first change is loaded at once; while changes go on, the pauses grow to those without events", () => {
    expect([0, 1, 2, 3, 50].map((inRow) => pauseBeforeChange(10, 2_000, inRow))).toEqual([
      GATHER_MS,
      500,
      1_000,
      2_000,
      2_000,
    ]);
    expect(pauseBeforeChange(1_000, 2_000, 0)).toBe(19_000);
  });

  it("DB25 while events tell of changes, the mesh is asked less often for the rest", () => {
    expect(pauseWhileTold(10, 2_000)).toBe(10_000);
    expect(pauseWhileTold(1_000, 2_000)).toBe(19_000);
  });
});
