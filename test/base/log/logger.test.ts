import { describe, expect, test } from "vitest";
import { faultOf } from "../../../src/base/log/log-events.ts";
import { logLine, readLogLine, toLogJson, toLogText } from "../../../src/base/log/log-line.ts";
import { collectedLog } from "../../collected-log.ts";

const SECRET = "0123456789abcdef".repeat(4);
const MINUTE = 60_000;

describe("a line of the log", () => {
  test("TR19 has the time, the level, the event, a message and the fields that are known", () => {
    const line = logLine(
      "offer.failed",
      { peer: "ab".repeat(16), task: "t-1", kind: "resize", trace: null, error: "gone" },
      1_000,
    );
    expect(JSON.parse(toLogJson(line))).toEqual({
      time: "1970-01-01T00:00:01.000Z",
      level: "warn",
      event: "offer.failed",
      message: `the peer ${"ab".repeat(16)} could not be offered a task: gone`,
      peer: "ab".repeat(16),
      task: "t-1",
      kind: "resize",
      error: "gone",
    });
    expect(toLogText(line)).toBe(
      `1970-01-01T00:00:01.000Z warn offer.failed the peer ${"ab".repeat(16)} could not be offered a task: gone task=t-1 kind=resize`,
    );
  });

  test("TR20 a fault has its stack, and both are without secrets", () => {
    const thrown = new Error(`https://user:pw@h.test/a?key=${SECRET} and mst_${SECRET}`);
    const { fields, message } = logLine("background.failed", faultOf(thrown), 0);
    expect(fields.stack).toContain("logger.test.ts");
    for (const text of [fields.stack, fields.error, message]) {
      expect(text).not.toContain(SECRET);
      expect(text).not.toContain("pw@");
    }
    expect(logLine("background.failed", faultOf("no error"), 0).fields).toEqual({
      error: "no error",
    });
  });

  test("TR21 is one line of bounded length, whatever its values are", () => {
    const hostile = '\n{"level":"info"}\u2028\u0000\ud800\u009b31m\u202e'.repeat(100_000);
    const line = logLine(
      "request.failed",
      { method: hostile, path: hostile, trace: hostile, error: hostile, stack: hostile },
      0,
    );
    const json = toLogJson(line);
    expect(json.length).toBeLessThan(60_000);
    for (const hidden of ["\n", "\u0000", "\u009b", "\u2028", "\u202e"])
      expect(json).not.toContain(hidden);
    for (const text of Object.values(line.fields)) expect(String(text).length).toBeLessThan(4_001);
    expect(line.message.length).toBeLessThanOrEqual(2_000);
  });

  test("TR21 no path stands for the address of the caller in a line of text", () => {
    const path = '/v1/tasks/x address=192.0.2.66 " address=192.0.2.66';
    const values = { code: "unauthorized", method: "GET", path, address: "192.0.2.1", trace: null };
    const text = toLogText(logLine("request.refused", values, 0));
    expect(/address="?([^\s"]+)/.exec(text)?.[1]).toBe("192.0.2.1");
  });

  test("TR19 values of another type than the field's are left out", () => {
    const given = { status: "500", duration_ms: Number.NaN, method: 4, path: "/a" } as never;
    expect(logLine("request.unavailable", given, 0).fields).toEqual({ path: "/a" });
  });

  test("TR19 is read again by the host, which takes nothing that the tables don't know", () => {
    const line = logLine("session.refused", { code: "not_allowed", address: "192.0.2.1" }, 5);
    expect(readLogLine(toLogJson(line))).toEqual(line);
    const other = { ...(JSON.parse(toLogJson(line)) as object), message: "forged", more: 1 };
    expect(readLogLine(JSON.stringify(other))).toEqual(line);
    for (const text of [
      "",
      "text",
      "[]",
      JSON.stringify({ event: "toString", level: "info", time: line.time }),
      JSON.stringify({ event: "session.refused", level: "loud", time: line.time }),
      JSON.stringify({ event: "session.refused", level: "info", time: "now" }),
    ])
      expect(readLogLine(text)).toBeNull();
  });
});

describe("the log", () => {
  test("TR22 writes no line below its level", () => {
    const { log, lines } = collectedLog();
    log.level = "warn";
    log.write("tls.reloaded", {});
    log.write("workerd.output", { detail: "x" }, "info");
    log.pass(logLine("mesh.stopped", {}, 0));
    log.write("tls.unusable", { reason: "x" });
    expect(lines.map(({ event }) => event)).toEqual(["tls.unusable"]);
    expect([log.isOn("debug"), log.isOn("error")]).toEqual([false, true]);
  });

  test("TR23 a flood of one event writes 20 lines a minute, and says how many it left out", () => {
    const world = { now: 0 };
    const { log, lines } = collectedLog(() => world.now);
    const refused = { code: "not_allowed", peer: null, address: "192.0.2.1", state: "greeting" };
    for (world.now = 0; world.now < 10 * MINUTE; world.now += 10)
      log.write("session.refused", refused);
    // Others are not concerned.
    log.write("tls.reloaded", {});
    log.flush(true);
    const written = lines.filter(({ event }) => event === "session.refused").length;
    expect(written).toBeLessThanOrEqual(11 * 20);
    const leftOut = lines
      .filter(({ event }) => event === "log.left_out")
      .map(({ fields }) => Number(fields.count));
    expect(leftOut.length).toBeLessThanOrEqual(written + 11);
    expect(leftOut.reduce((sum, count) => sum + count, written)).toBe(60_000);
    expect(lines.some(({ event }) => event === "tls.reloaded")).toBe(true);
  });

  test("TR23 what was left out is told a minute later by a line of another event", () => {
    const world = { now: 0 };
    const { log, lines } = collectedLog(() => world.now);
    for (let n = 0; n < 25; n++) log.write("background.failed", faultOf("x"));
    world.now = MINUTE - 1;
    log.write("tls.reloaded", {});
    expect(lines.at(-1)?.event).toBe("tls.reloaded");
    world.now = MINUTE;
    log.write("tls.reloaded", {});
    expect(lines.slice(-2)).toMatchObject([
      { event: "log.left_out", level: "warn", fields: { of: "background.failed", count: 5 } },
      { event: "tls.reloaded" },
    ]);
  });

  test("TR23 a clock that was set back neither stops the log nor hides the count", () => {
    const world = { now: 100 * MINUTE };
    const { log, lines } = collectedLog(() => world.now);
    for (let n = 0; n < 25; n++) log.write("background.failed", faultOf("x"));
    world.now = 0;
    log.write("tls.reloaded", {});
    expect(lines.at(-2)).toMatchObject({ event: "log.left_out", fields: { count: 5 } });
    for (world.now = 1; world.now <= MINUTE; world.now += 1_000)
      log.write("background.failed", faultOf("y"));
    expect(lines.filter(({ fields }) => fields.error === "y").length).toBeGreaterThanOrEqual(19);
  });
});
