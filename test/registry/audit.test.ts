import { describe, expect, test } from "vitest";
import { DAY, HOUR, MINUTE, type Millis } from "../../src/base/clock.ts";
import { AUDIT_LIMITS } from "../../src/protocol/constants.ts";
import type { AuditAct, AuditLimits } from "../../src/registry/audit.ts";
import { openRegistry } from "../../src/registry/registry.ts";
import { nodeSql } from "../node-sql.ts";

const START: Millis = Date.UTC(2026, 0, 1);
const refusal = (peer: string, more: Partial<AuditAct> = {}): AuditAct => ({
  actor: `peer:${peer}`,
  act: "admit",
  subject: peer,
  outcome: "not_allowed",
  detail: { name: "x" },
  ...more,
});
const allow = (subject: string): AuditAct => ({
  actor: "admin",
  act: "allow",
  subject,
  outcome: "ok",
  detail: {},
});
const open = (limits: Partial<AuditLimits> = {}) =>
  openRegistry(nodeSql(), 0, { ...AUDIT_LIMITS, ...limits }).audit;
const ALL = { limit: 100_000 };

describe("a repeated act", () => {
  test("AD41 is counted in one entry with its first time, its last time and its newest detail", () => {
    const audit = open();
    for (let n = 0; n < 1_000; n++)
      audit.add(refusal("a", { detail: { name: `${n}` } }), "stranger", START + n);
    expect(audit.list(ALL)).toMatchObject([
      { at: START, lastAt: START + 999, count: 1_000, detail: { name: "999" } },
    ]);
  });

  test("AD41 gets a new entry each hour, and one for each outcome, whatever comes between", () => {
    const audit = open();
    for (let minute = 0; minute < 150; minute++) {
      audit.add(refusal("a"), "stranger", START + minute * MINUTE);
      audit.add(refusal("a", { outcome: "key_in_use" }), "stranger", START + minute * MINUTE);
    }
    expect(audit.list(ALL).map(({ outcome, count }) => [outcome, count])).toEqual([
      ["key_in_use", 30],
      ["not_allowed", 30],
      ["key_in_use", 60],
      ["not_allowed", 60],
      ["key_in_use", 60],
      ["not_allowed", 60],
    ]);
  });

  test("AD41 of the operator is a repetition only if it is equal and nothing was done between", () => {
    const audit = open();
    for (const subject of ["a", "a", "b", "a"]) audit.add(allow(subject), "operator", START);
    expect(audit.list(ALL).map(({ subject, count }) => [subject, count])).toEqual([
      ["a", 1],
      ["b", 1],
      ["a", 2],
    ]);
  });
});

describe("a success", () => {
  const success = (detail: AuditAct["detail"], subject = "a"): AuditAct =>
    refusal("a", { outcome: "ok", subject, detail });

  test.each([
    ["another subject", success({ keys: true }, "b")],
    ["another detail", success({ keys: false })],
    ["a detail less", success({})],
    ["a detail more", success({ keys: true, more: 1 })],
  ])("AD41 is not hidden by a later one with %s", (_, later) => {
    const audit = open();
    audit.add(success({ keys: true }), "stranger", START);
    for (let n = 0; n < 10; n++) audit.add(later, "stranger", START + n);
    audit.add(success({ keys: true }), "stranger", START + 10);
    const [second, first] = audit.list(ALL);
    expect(first).toMatchObject({ subject: "a", detail: { keys: true }, count: 2 });
    expect(second).toMatchObject({ subject: later.subject, detail: later.detail, count: 10 });
  });

  test("AD41 is a repetition if it differs only in what the newest entry shows", () => {
    const audit = open();
    for (let epoch = 0; epoch < 100; epoch++)
      audit.add(
        { ...success({ keys: true, epoch }), newestOf: ["epoch"] },
        "listed",
        START + epoch,
      );
    expect(audit.list(ALL)).toMatchObject([{ count: 100, detail: { keys: true, epoch: 99 } }]);
  });
});

describe("the limits of the audit log", () => {
  test("AD42 ever new strangers displace only each other, oldest first, and none of the operator's entries", () => {
    const audit = open();
    for (let n = 0; n < 100; n++) audit.add(allow(`${n}`), "operator", START);
    audit.add(refusal("listed"), "listed", START);
    const strangers = AUDIT_LIMITS.stranger + 3_000;
    for (let n = 0; n < strangers; n++) audit.add(refusal(`${n}`), "stranger", START + n);
    const entries = audit.list(ALL);
    const of = (budget: string) => entries.filter((entry) => entry.budget === budget);
    expect([of("operator").length, of("listed").length]).toEqual([100, 1]);
    expect(of("stranger").length).toBeGreaterThanOrEqual(AUDIT_LIMITS.stranger);
    expect(of("stranger").length).toBeLessThan(AUDIT_LIMITS.stranger + AUDIT_LIMITS.trimEvery);
    expect(of("stranger")[0]?.subject).toBe(`${strangers - 1}`);
  });

  test("AD42 one actor has so many entries at most, and the operator has no such limit", () => {
    const audit = open({ perActor: 20 });
    for (let hour = 0; hour < 100; hour++) {
      for (const [peer, budget] of [
        ["a", "stranger"],
        ["b", "listed"],
      ] as const)
        audit.add(refusal(peer), budget, START + hour * HOUR);
      audit.add(allow(`${hour}`), "operator", START + hour * HOUR);
    }
    const counts = ["peer:a", "peer:b", "admin"].map(
      (actor) => audit.list(ALL).filter((entry) => entry.actor === actor).length,
    );
    expect(counts).toEqual([20, 20, 100]);
    expect(audit.list(ALL)[0]?.at).toBe(START + 99 * HOUR);
  });

  test("AD10 every entry goes when its retention is over, and no other", () => {
    const audit = open();
    for (let day = 0; day < 10; day++) audit.add(allow(`${day}`), "operator", START + day * DAY);
    audit.prune(START + 4 * DAY);
    expect(audit.list(ALL).map(({ subject }) => subject)).toEqual(["9", "8", "7", "6", "5", "4"]);
  });
});
