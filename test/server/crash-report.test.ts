import { describe, expect, test, vi } from "vitest";
import { CrashReport } from "../../server/crash-report.ts";
import { collectedLog } from "../collected-log.ts";

function reporting() {
  const { log, lines } = collectedLog();
  return { lines, report: new CrashReport(log) };
}

describe("what workerd writes besides its log", () => {
  test("SV31 follows the line that says how it ended", () => {
    const { lines, report } = reporting();
    report.add("*** Received signal #11: Segmentation fault");
    report.add("stack: 1 2 3");
    expect(lines).toEqual([]);
    report.crashed("SIGSEGV");
    expect(lines).toMatchObject([
      { level: "error", event: "workerd.crashed", message: "workerd ended unexpectedly (SIGSEGV)" },
      { level: "warn", message: "*** Received signal #11: Segmentation fault" },
      { level: "warn", message: "stack: 1 2 3" },
    ]);
  });

  test("SV31 is an error by itself if workerd goes on, or if it is much", () => {
    vi.useFakeTimers();
    try {
      const { lines, report } = reporting();
      report.add("a warning");
      vi.advanceTimersByTime(1_000);
      expect(lines).toMatchObject([
        { level: "error", event: "workerd.output", message: "a warning" },
      ]);
      for (let n = 0; n < 100; n++) report.add(`line ${n}`);
      expect(lines).toHaveLength(101);
    } finally {
      vi.useRealTimers();
    }
  });
});
