import {
  evictDurableObject,
  reset,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { HOUR, MINUTE, SECOND } from "../../src/base/clock.ts";
import { toHex } from "../../src/base/bytes.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { platformRandom } from "../../src/crypto/primitives.ts";
import type { AlertList, EventPage } from "../../src/protocol/http.ts";
import { parseMetrics, valueOf } from "../metrics/parse-metrics.ts";
import { call, problemOf } from "../workers/http.ts";
import { api, coordinatorStub, newSessionStub, rows, submitTask, until } from "./api.ts";
import { GoPeer } from "./go-peer.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await reset();
});

const alerts = async () => (await api<AlertList>("GET", "/v1/alerts")).body.alerts;
const keys = async () => (await alerts()).map(({ key }) => key);
const tokenOf = async (scope: string): Promise<string> =>
  (await api<{ token: string }>("POST", "/v1/tokens", { scope })).body.token;

/** Runs the coordinator's alarm whenever it is due, for this time. */
async function pass(ms: number): Promise<number> {
  const end = Date.now() + ms;
  for (let rings = 0; ; rings++) {
    const due = await runInDurableObject(coordinatorStub(), (_, { storage }) => storage.getAlarm());
    if (due === null || due > end) {
      vi.setSystemTime(end);
      return rings;
    }
    vi.setSystemTime(Math.max(Date.now(), due));
    await runDurableObjectAlarm(coordinatorStub());
  }
}

const events = async () =>
  (await api<EventPage>("GET", "/v1/events?type=alert.&after=oldest")).body.events.map((event) =>
    "alert" in event ? `${event.type} ${event.key}` : event.type,
  );

describe("alerts in the coordinator's object", () => {
  it("MT18 EV24 EV25 EV30 a task that nobody takes fires by the alarm alone, also when the object has hibernated", async () => {
    await events();
    await submitTask("resize", null, { deadline_seconds: 86_400 });
    await pass(10 * MINUTE);
    expect(await keys()).toEqual([]);
    await evictDurableObject(coordinatorStub());
    await pass(5 * MINUTE + SECOND);
    expect(await alerts()).toMatchObject([{ key: "queue_old:resize", kind: "resize", value: 900 }]);
    await evictDurableObject(coordinatorStub());
    await pass(HOUR);
    expect(await keys()).toEqual(["queue_old:resize"]);
    const { text } = await call("GET", "/metrics");
    const families = parseMetrics(text, "prometheus");
    expect(valueOf(families, "muster_alerts", { alert: "queue_old" })).toBe(1);
    expect(valueOf(families, "muster_alerts", { alert: "storage" })).toBe(0);
    const [task] = await rows("SELECT id FROM tasks");
    await api("DELETE", `/v1/tasks/${String(task?.["id"])}`);
    await pass(3 * MINUTE);
    expect(await keys()).toEqual([]);
  });

  it("EV24 EV27 EV30 a listed peer whose connection breaks fires after five minutes and ends once it is back", async () => {
    await events();
    const pair = newKeyPair(platformRandom);
    await api("PUT", `/v1/allowlist/${toHex(pair.publicKey)}`, { roles: ["worker"] });
    const object = newSessionStub();
    await GoPeer.join({ keys: pair, object });
    await evictDurableObject(object, { webSockets: "close" });
    await runDurableObjectAlarm(object);
    const state = async () => (await rows("SELECT state, lost_at FROM peers"))[0];
    await until(state, (peer) => peer?.["state"] === "stale");
    expect((await state())?.["lost_at"]).not.toBeNull();
    await pass(5 * MINUTE + SECOND);
    expect(await keys()).toEqual([`peer_down:${pair.id}`]);
    await evictDurableObject(coordinatorStub());
    // An alert that goes on wakes nobody.
    expect(await pass(6 * HOUR)).toBeLessThan(6);
    await GoPeer.join({ keys: pair });
    await pass(2 * MINUTE + SECOND);
    expect(await keys()).toEqual([]);
  });

  it("HT87 EV32 admins and viewers may list alerts, and no query; controllers may not", async () => {
    for (const scope of ["admin", "viewer"])
      expect((await call("GET", "/v1/alerts", { token: await tokenOf(scope) })).status).toBe(200);
    for (const scope of ["controller", "metrics"])
      problemOf(await call("GET", "/v1/alerts", { token: await tokenOf(scope) }), "forbidden");
    problemOf(await call("GET", "/v1/alerts", { token: null }), "unauthorized");
    problemOf(await call("GET", "/v1/alerts?state=firing"), "invalid_request");
  });
});
