import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { DAY, HOUR } from "../../../src/base/clock.ts";
import { RouteReporter } from "../../../src/client/route/route-reporter.ts";
import type { Route } from "../../../src/protocol/route.ts";

const ROUTE: Route = { hops: 9, tool: "mtr" };

describe("the report of the hops", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function reporter({ url = "https://mesh.example", connected = true } = {}) {
    const state = {
      connected,
      sent: [] as Route[],
      events: 0,
      measured: 0,
      signal: new AbortController().signal,
    };
    const routes = new RouteReporter({
      url,
      platform: {
        now: () => Date.now(),
        measureRoute: (_host, signal) => {
          state.measured += 1;
          state.signal = signal;
          return Promise.resolve(ROUTE);
        },
      },
      send: (route) => {
        if (state.connected) state.sent.push(route);
        return state.connected;
      },
      emit: () => void (state.events += 1),
    });
    return { routes, state };
  }

  test("SC19 follows the welcome, and again after a day and no sooner, however often the peer reconnects", async () => {
    const { routes, state } = reporter();
    routes.joined();
    await vi.advanceTimersByTimeAsync(0);
    expect(state.sent).toEqual([ROUTE]);
    for (let n = 0; n < 5; n++) {
      routes.detach();
      await vi.advanceTimersByTimeAsync(HOUR);
      routes.joined();
    }
    await vi.advanceTimersByTimeAsync(DAY - 5 * HOUR - 1);
    expect(state.measured).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(state).toMatchObject({ measured: 2, events: 2, sent: [ROUTE, ROUTE] });
    routes.stop();
    await vi.advanceTimersByTimeAsync(3 * DAY);
    expect(state.measured).toBe(2);
  });

  test("SC19 is sent in the next session if this one ended during the measurement", async () => {
    const { routes, state } = reporter();
    routes.joined();
    state.connected = false;
    routes.detach();
    await vi.advanceTimersByTimeAsync(HOUR);
    expect(state.sent).toEqual([]);
    state.connected = true;
    routes.joined();
    expect(state).toMatchObject({ measured: 1, events: 1, sent: [ROUTE] });
    routes.stop();
  });

  test("SC19 does not happen while the peer is disconnected", async () => {
    const { routes, state } = reporter();
    routes.joined();
    routes.detach();
    await vi.advanceTimersByTimeAsync(3 * DAY);
    expect(state.measured).toBe(1);
    routes.joined();
    expect(state.measured).toBe(2);
    routes.stop();
  });

  test("SC19 does not happen without a host, and its end aborts the measurement", async () => {
    const off = reporter({ url: "http://-n.example" });
    off.routes.joined();
    expect(off.state.measured).toBe(0);
    const on = reporter();
    on.routes.joined();
    on.routes.stop();
    expect(on.state.signal.aborted).toBe(true);
    await vi.advanceTimersByTimeAsync(0);
    expect(on.state.sent).toEqual([]);
  });
});
