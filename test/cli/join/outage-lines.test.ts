import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FirstConnection, FIRST_CONNECTION_MS } from "../../../src/cli/join/first-connection.ts";
import { OutageLines } from "../../../src/cli/join/outage-lines.ts";
import type { ConnectFailureCode, PeerEvent, PeerState } from "../../../src/client/index.ts";

const connecting = (failures: number): PeerEvent => ({ type: "connecting", url: "u", failures });
const lost = (code?: ConnectFailureCode, systemCode?: string): PeerEvent => ({
  type: "disconnected",
  code: 1006,
  reason: "r",
  retryInMs: 500,
  ...(code !== undefined && {
    failure: { code, message: `told ${code}`, ...(systemCode !== undefined && { systemCode }) },
  }),
});
const ready = {
  type: "ready",
  peerId: "p",
  epoch: 1,
  role: "worker",
  mesh: { id: "m", name: "lab", public_key: "k" },
} as unknown as PeerEvent;

test("CL59 an outage has a line when it begins, one for each kind of reason, and one when it ends", () => {
  let now = 0;
  const lines = new OutageLines(() => now);
  const told = (...events: PeerEvent[]) => events.map((event) => lines.line(event));
  expect(told(connecting(0), ready)).toEqual(["connecting to u", "joined lab as worker p"]);
  const begin = told(lost());
  expect(begin).toEqual([expect.stringContaining("disconnected (1006, r)")]);
  for (let n = 1; n < 50; n++)
    expect(told(connecting(n), lost("unreachable"))).toEqual([
      null,
      n === 1 ? expect.stringContaining("told unreachable; trying again in 500 ms") : null,
    ]);
  expect(told(lost("mesh_unavailable"), lost("unreachable"))).toEqual([
    expect.stringContaining("told mesh_unavailable"),
    null,
  ]);
  now = 35_400;
  expect(told(connecting(51), ready)).toEqual([
    null,
    "joined lab as worker p, after 35 s without the mesh",
  ]);
  expect(told(lost("unreachable"))).toEqual([expect.stringContaining("told unreachable")]);
});

describe("CL58 the first connection", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function watched(state: PeerState = "waiting") {
    const failures: string[] = [];
    const url = "http://mesh.test/";
    const giveUp = ({ message }: Error): void => void failures.push(message);
    const first = new FirstConnection({ url, state: () => state, giveUp });
    return { first, failures };
  }

  test.each(["tls_failed", "not_a_mesh", "redirected", "version_unsupported"] as const)(
    "is given up at once if it can't come about: %s",
    (code) => {
      const { first, failures } = watched();
      expect([first.observe(connecting(0)), first.observe(lost(code))]).toEqual([false, true]);
      expect(failures).toEqual([`told ${code}`]);
    },
  );

  test("is given up at once if the host does not exist", () => {
    const { first, failures } = watched();
    expect(first.observe(lost("unreachable", "ENOTFOUND"))).toBe(true);
    expect(failures).toHaveLength(1);
  });

  test.each(["unreachable", "no_answer", "mesh_unavailable", "websocket_failed"] as const)(
    "is given up after ten seconds, with the last reason: %s",
    (code) => {
      const { first, failures } = watched();
      first.observe(connecting(0));
      expect(first.observe(lost(code))).toBe(false);
      vi.advanceTimersByTime(FIRST_CONNECTION_MS - 1);
      expect(failures).toEqual([]);
      vi.advanceTimersByTime(1);
      expect(failures).toEqual([`told ${code}`]);
    },
  );

  test("is given up after ten seconds in which nothing answered", () => {
    const { first, failures } = watched("connecting");
    first.observe(connecting(0));
    vi.advanceTimersByTime(FIRST_CONNECTION_MS);
    expect(failures).toEqual(["http://mesh.test/ did not answer within 10 s"]);
  });

  test("is not given up while the mesh decides, and then with its answer", () => {
    const { first, failures } = watched("joining");
    first.observe(connecting(0));
    vi.advanceTimersByTime(2 * FIRST_CONNECTION_MS);
    expect(failures).toEqual([]);
    expect(first.observe(lost())).toBe(true);
    expect(failures).toEqual(["cannot join http://mesh.test/: r"]);
  });

  test("does not end a peer that has joined", () => {
    const { first, failures } = watched();
    first.observe(connecting(0));
    first.observe(ready);
    vi.advanceTimersByTime(2 * FIRST_CONNECTION_MS);
    expect(first.observe(lost("not_a_mesh"))).toBe(false);
    expect(failures).toEqual([]);
  });
});
