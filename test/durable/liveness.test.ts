import {
  evictDurableObject,
  reset,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PING_INTERVAL, PONG_TIMEOUT } from "../../src/protocol/constants.ts";
import {
  submitTask,
  newSessionStub,
  peerView,
  pointers,
  rows,
  awaitTaskEnd,
  until,
} from "./api.ts";
import { Gate, interceptCommand } from "./faults.ts";
import { GoPeer, type PeerOptions } from "./go-peer.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await reset();
});

const advanceClock = (ms: number) => vi.setSystemTime(Date.now() + ms);

/** Advances the clock and runs the object's alarm. */
async function runAlarmAfter(ms: number, object: DurableObjectStub): Promise<void> {
  advanceClock(ms);
  expect(await runDurableObjectAlarm(object)).toBe(true);
}

async function join(options: PeerOptions = {}) {
  const object = newSessionStub();
  const peer = await GoPeer.join({ ...options, object });
  return { peer, object, view: () => peerView(peer.keys.id) };
}

/** The number of keys that an object has stored, and whether an alarm is set. */
const stored = (object: DurableObjectStub) =>
  runInDurableObject(object, async (_, { storage }) => [
    (await storage.list()).size,
    (await storage.getAlarm()) !== null,
  ]);

describe("pings", () => {
  it("LV1 a ping of the peer is answered by a pong that echoes sentAt, also after hibernation", async () => {
    const { peer, object } = await join();
    for (const sentAt of [0, 1_700_000_000_123, -5]) {
      const ping = peer.send("ping", { sentAt });
      expect(await peer.read()).toMatchObject({
        type: "pong",
        replyTo: ping.id,
        payload: { sentAt, receivedAt: Date.now() },
      });
      await evictDurableObject(object);
    }
  });

  it("LV2 the mesh pings when the alarm rings, and measures the RTT by its own clock", async () => {
    const { peer, object, view } = await join();
    expect(await view()).toMatchObject({ ping_ms: 0 });
    await runAlarmAfter(PING_INTERVAL, object);
    const ping = await peer.readType("ping");
    await evictDurableObject(object);
    advanceClock(800);
    peer.send("pong", { sentAt: Date.now() - 7, receivedAt: Date.now() }, { replyTo: ping.id });
    await until(view, ({ ping_ms }) => ping_ms !== 0);
    // Smoothed with weight one eighth: 0 + (800 - 0) / 8.
    expect(await view()).toMatchObject({ ping_ms: 100, state: "active" });
  });

  it("LV2 the mesh does not ping when the alarm rings early", async () => {
    const { peer, object } = await join();
    await runAlarmAfter(PING_INTERVAL - 1, object);
    expect(await peer.catchUp()).toEqual([]);
    await runAlarmAfter(1, object);
    expect(await peer.catchUp()).toMatchObject([{ type: "ping" }]);
  });
});

describe("a peer that misses an answer", () => {
  it("LV3 a missed answer makes the peer suspect: it gets no offers until it answers, across a hibernation", async () => {
    const { peer, object, view } = await join();
    await runAlarmAfter(PING_INTERVAL, object);
    await peer.readType("ping");
    await runAlarmAfter(PONG_TIMEOUT, object);
    expect(await view()).toMatchObject({ state: "suspect", connected: true });
    const again = await peer.readType("ping");
    const task = await submitTask("echo", "later");
    expect(task).toMatchObject({ state: "queued" });
    await evictDurableObject(object);
    expect(await peer.catchUp()).toEqual([]);
    peer.pong(again);
    expect(await peer.readType("task_offer")).toMatchObject({ payload: { task_id: task.id } });
    expect(await view()).toMatchObject({ state: "active" });
  });

  it("LV3 a suspect peer keeps its attempts", async () => {
    const { peer, object, view } = await join();
    const { id } = await submitTask("echo", null);
    await peer.readType("task_offer");
    await peer.ask("task_accept", { task_id: id, fence: 1 });
    await runAlarmAfter(PING_INTERVAL, object);
    await runAlarmAfter(PONG_TIMEOUT, object);
    expect(await view()).toMatchObject({ state: "suspect", tasks: 1 });
    peer.send("task_result", { task_id: id, fence: 1, ok: true, result: 1 });
    expect(await awaitTaskEnd(id)).toMatchObject({ state: "succeeded" });
  });

  it("LV4 the second missed answer closes the session with 4408 and makes the peer stale, across a hibernation", async () => {
    const { peer, object, view } = await join();
    await runAlarmAfter(PING_INTERVAL, object);
    await runAlarmAfter(PONG_TIMEOUT, object);
    await evictDurableObject(object);
    await runAlarmAfter(PONG_TIMEOUT, object);
    expect(await peer.closed).toMatchObject({ code: 4408, reason: /^ping_timeout: / });
    expect(await view()).toMatchObject({ state: "stale", connected: false });
    expect(await stored(object)).toEqual([0, false]);
  });
});

describe("a socket that vanishes without a close", () => {
  it("LV6 the alarm finds a socket that vanished and sends `gone`", async () => {
    const { object, view } = await join();
    await evictDurableObject(object, { webSockets: "close" });
    expect(await view()).toMatchObject({ state: "active" });
    await runAlarmAfter(PING_INTERVAL, object);
    expect(await view()).toMatchObject({ state: "stale", connected: false });
    expect(await stored(object)).toEqual([0, false]);
  });

  it("LV6 `gone` is repeated until the coordinator has answered it", async () => {
    const { object, view } = await join();
    await evictDurableObject(object, { webSockets: "close" });
    interceptCommand("gone", () => Promise.reject(new Error("injected: out of reach")));
    await runAlarmAfter(PING_INTERVAL, object);
    expect(await view()).toMatchObject({ state: "active" });
    vi.restoreAllMocks();
    await runAlarmAfter(PING_INTERVAL, object);
    expect(await view()).toMatchObject({ state: "stale" });
  });

  it("LV6 `gone` is repeated by the alarm when it failed at the close", async () => {
    const { peer, object, view } = await join();
    const unheard = vi.fn(() => Promise.reject(new Error("injected: out of reach")));
    interceptCommand("gone", unheard);
    peer.close();
    await until(async () => unheard.mock.calls.length, Boolean);
    vi.restoreAllMocks();
    await runAlarmAfter(PING_INTERVAL, object);
    expect(await view()).toMatchObject({ state: "stale" });
  });

  it("LV6 an admission whose answer was lost is taken back", async () => {
    interceptCommand("admit", async (run) => {
      await run();
      throw new Error("injected: the answer is lost");
    });
    const object = newSessionStub();
    const peer = await GoPeer.connect({ object });
    await peer.handshake();
    peer.pong(await peer.read());
    expect(await peer.closed).toMatchObject({ code: 4503 });
    expect(await peerView(peer.keys.id)).toMatchObject({ state: "active" });
    await runAlarmAfter(PING_INTERVAL, object);
    expect(await peerView(peer.keys.id)).toMatchObject({ state: "stale" });
  });

  it("LV6 an admission that is answered after the peer left is taken back", async () => {
    const gate = new Gate();
    interceptCommand("admit", async (run) => {
      const admitted = await run();
      await gate.wait();
      return admitted;
    });
    const peer = await GoPeer.connect();
    await peer.handshake();
    peer.pong(await peer.read());
    await gate.reached();
    peer.close();
    expect(await peerView(peer.keys.id)).toMatchObject({ state: "active" });
    gate.open();
    await until(
      () => peerView(peer.keys.id),
      ({ state }) => state === "stale",
    );
  });
});

/** The states of the only peer and the only task, and the number of pointers, in one query. */
const snapshot = async () =>
  (
    await rows(
      `SELECT peers.state, tasks.lease_until IS NOT NULL AS held, tasks.state AS task,
       (SELECT COUNT(*) FROM pointers WHERE state = 'listed') AS pointers FROM peers, tasks`,
    )
  )[0];

describe("a peer that is gone", () => {
  it("LV7 a peer loses its leases and its pointer in the same transaction in which it becomes stale", async () => {
    const { peer } = await join();
    const { id } = await submitTask("echo", null);
    await peer.readType("task_offer");
    await peer.ask("task_accept", { task_id: id, fence: 1 });
    await until(pointers, ({ length }) => length === 1);
    const before = { state: "active", held: 1, task: "running", pointers: 1 };
    const after = { state: "stale", held: 0, task: "queued", pointers: 0 };
    expect(await snapshot()).toEqual(before);
    peer.close();
    const seen: unknown[] = [];
    await until(snapshot, (now) => {
      seen.push(now);
      return now?.["state"] === "stale";
    });
    for (const now of seen.slice(0, -1)) expect(now).toEqual(before);
    expect(seen.at(-1)).toEqual(after);
  });

  it("LV7 the task of a peer that left is offered to another", async () => {
    const { peer } = await join();
    const { id } = await submitTask("echo", "work");
    await peer.readType("task_offer");
    const other = await GoPeer.join();
    peer.send("disconnect", { reason: "", code: 1000 });
    expect(await other.readType("task_offer")).toMatchObject({
      payload: { task_id: id, fence: 2, payload: "work" },
    });
  });

  it("HS17 a peer that disconnects is stale at once", async () => {
    const { peer, object, view } = await join();
    peer.send("disconnect", { reason: "bye", code: 1000 });
    await peer.closed;
    await until(view, ({ state }) => state === "stale");
    expect(await stored(object)).toEqual([0, false]);
  });
});
