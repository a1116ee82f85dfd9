import { describe, expect, test, vi } from "vitest";
import type { CheckInfo } from "../../src/conformance/check.ts";
import { CheckFailed, NotApplicable } from "../../src/conformance/failure.ts";
import { countsOf, type CheckResult } from "../../src/conformance/result.ts";
import { runChecks } from "../../src/conformance/run-checks.ts";

interface Sample extends CheckInfo {
  readonly run: () => Promise<void>;
}

const sample = (id: string, run: () => Promise<void>, more: Partial<CheckInfo> = {}): Sample => ({
  id,
  level: "must",
  subset: "core",
  statement: "Something holds.",
  section: "protocol.md#limits",
  seconds: 1,
  run,
  ...more,
});

/** Runs the checks one after another; returns their results, and which of them were closed. */
async function ran(
  checks: readonly Sample[],
  { jobs = 1, signal = new AbortController().signal } = {},
) {
  const closed: string[] = [];
  const order: string[] = [];
  const results = await runChecks({
    checks,
    jobs,
    signal,
    now: () => 0,
    onResult: ({ id }) => order.push(id),
    prepare: async ({ id, run }) => ({
      run,
      frames: (count) => [`the last ${count} frames`],
      output: () => ["what it wrote"],
      close: async () => void closed.push(id),
    }),
  });
  return { results, closed, order };
}

const fails = () => Promise.reject(new CheckFailed("a pong", "nothing"));

describe("the runner of checks", () => {
  test("CF4 tells what was expected and seen of a check that failed, the last frames, and the output of the program", async () => {
    const { results } = await ran([sample("AA01", async () => {}), sample("AA02", fails)]);
    expect(results).toMatchObject([
      { id: "AA01", outcome: "passed" },
      {
        id: "AA02",
        outcome: "failed",
        expected: "a pong",
        seen: "nothing",
        frames: ["the last 12 frames"],
        output: ["what it wrote"],
      },
    ]);
  });

  test("CF4 counts a check that does not apply neither as passed nor as failed", async () => {
    const skips = () => Promise.reject(new NotApplicable("no prefetch"));
    const { results } = await ran([sample("AA01", skips)]);
    expect(results).toMatchObject([{ outcome: "not_applicable", seen: "no prefetch" }]);
    expect(countsOf(results)).toEqual({
      passed: 0,
      failedMust: 0,
      failedShould: 0,
      notApplicable: 1,
    });
  });

  test("CF4 counts an error of the kit as a failure of the check", async () => {
    const { results } = await ran([sample("AA01", () => Promise.reject(new TypeError("a bug")))]);
    expect(results).toMatchObject([{ outcome: "failed", seen: "TypeError: a bug" }]);
  });

  test("CF4 gives up a check that does not end", async () => {
    vi.useFakeTimers();
    try {
      const running = ran([sample("AA01", () => new Promise(() => {}))]);
      await vi.advanceTimersByTimeAsync(63_000);
      const { results, closed } = await running;
      expect(results).toMatchObject([{ outcome: "failed", seen: "it still runs" }]);
      expect(closed).toEqual(["AA01"]);
    } finally {
      vi.useRealTimers();
    }
  });

  test("CF4 starts long checks first, and reports in the order of the checks", async () => {
    const checks = [
      sample("AA01", async () => {}),
      sample("AA02", async () => {}, { seconds: 80 }),
      sample("AA03", fails, { seconds: 5, level: "should" }),
    ];
    const { results, order, closed } = await ran(checks);
    expect(order).toEqual(["AA02", "AA03", "AA01"]);
    expect(results.map(({ id }: CheckResult) => id)).toEqual(["AA01", "AA02", "AA03"]);
    expect(closed).toEqual(order);
    expect(countsOf(results)).toMatchObject({ passed: 2, failedMust: 0, failedShould: 1 });
  });

  test("CF4 ends at once when it is stopped, and closes what runs", async () => {
    const stop = new AbortController();
    const closed: string[] = [];
    const running = runChecks({
      checks: [sample("AA01", () => new Promise(() => {})), sample("AA02", async () => {})],
      jobs: 1,
      signal: stop.signal,
      now: () => 0,
      onResult: () => {},
      prepare: async ({ id, run }) => ({
        run,
        frames: () => [],
        output: () => [],
        close: async () => void closed.push(id),
      }),
    });
    stop.abort(new Error("stopped"));
    await expect(running).rejects.toThrow("stopped");
    expect(closed.every((id) => id === "AA01")).toBe(true);
  });
});
