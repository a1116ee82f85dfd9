import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { LoopMonitor } from "../../src/client/peer/loop-monitor.ts";
import { FakeMesh } from "./fake-mesh.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("an event loop", () => {
  /** A clock that runs ahead of the timers by what the test adds: the loop was blocked for so long. */
  function monitored() {
    let blocked = 0;
    const reports: number[] = [];
    const monitor = new LoopMonitor(
      () => performance.now() + blocked,
      (ms) => reports.push(ms),
    );
    return { monitor, reports, block: (ms: number) => (blocked += ms) };
  }

  test("WK9 that was blocked for 5 s is reported, once", async () => {
    const { monitor, reports, block } = monitored();
    await vi.advanceTimersByTimeAsync(10_500);
    block(5_000);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(reports).toEqual([5_000]);
    monitor.stop();
  });

  test("WK9 that was blocked for less is not reported", async () => {
    const { monitor, reports, block } = monitored();
    for (let n = 0; n < 10; n++) {
      block(4_900);
      await vi.advanceTimersByTimeAsync(3_000);
    }
    expect(reports).toEqual([]);
    monitor.stop();
  });
});

test("a closed peer has no timer left", async () => {
  const { peer } = new FakeMesh().join();
  void peer.close();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(vi.getTimerCount()).toBe(0);
});
