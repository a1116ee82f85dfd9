import {
  evictDurableObject,
  reset,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SessionSockets } from "../../durable/session-sockets.ts";
import {
  IDLE_CHECK_INTERVAL,
  LEASED_CHECK_INTERVAL,
  PONG_TIMEOUT,
  HEARTBEAT_TIMEOUT,
} from "../../src/protocol/constants.ts";
import type { Envelope } from "../../src/protocol/envelope.ts";
import { attachments, submitTask, peerView, awaitTaskEnd, until } from "./api.ts";
import { NoisePeer, type NoiseOptions } from "./noise-peer.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await reset();
});

const advanceClock = (ms: number) => vi.setSystemTime(Date.now() + ms);

/** The platform's timestamps use the real clock: a test with a fake clock sets the time of the last heartbeat itself. */
const setHeartbeatTime = (at: () => number | null) =>
  vi.spyOn(SessionSockets.prototype, "heartbeatAt").mockImplementation(at);

async function join(options: NoiseOptions = {}) {
  const peer = await NoisePeer.join(options);
  const object = env.PEER_SESSION.get(env.PEER_SESSION.idFromName(peer.keys.id));
  const look = async (ms: number) => {
    advanceClock(ms);
    expect(await runDurableObjectAlarm(object)).toBe(true);
  };
  /** Answers a ping, and waits until the session has handled the pong. */
  const answer = async ({ id }: Envelope) => {
    peer.send("pong", { sentAt: 0, receivedAt: 0 }, { replyTo: id });
    await until(
      () => attachments(object),
      ([session]) => session?.state === "active" && session.liveness.ping === null,
    );
  };
  return { peer, object, look, answer, view: () => peerView(peer.keys.id) };
}

/** Milliseconds until the object's alarm rings. */
const alarmDelay = (object: DurableObjectStub) =>
  runInDurableObject(
    object,
    async (_, { storage }) => Number(await storage.getAlarm()) - Date.now(),
  );

describe("heartbeats", () => {
  it("LV8 a heartbeat is answered while the object hibernates, and does not wake it", async () => {
    vi.useRealTimers();
    const { peer, object } = await join();
    await evictDurableObject(object);
    peer.sendHeartbeat();
    expect(await peer.nextText()).toBe("pong");
    // An object that is not in memory can't be evicted: the heartbeat did not wake it.
    await expect(evictDurableObject(object)).rejects.toThrow();
    const heartbeats = await runInDurableObject(object, (_, state) =>
      state.getWebSockets().map((socket) => state.getWebSocketAutoResponseTimestamp(socket)),
    );
    expect(Math.abs(Number(heartbeats[0]) - Date.now())).toBeLessThan(60_000);
  });

  it("LV8 an idle peer with heartbeats stays active with a check every 15 minutes, each with an RTT sample", async () => {
    const { peer, object, look, answer, view } = await join();
    setHeartbeatTime(() => Date.now() - 20_000);
    await look(HEARTBEAT_TIMEOUT);
    for (let round = 0; round < 3; round++) {
      const ping = await peer.readType("ping");
      advanceClock(30);
      await answer(ping);
      expect(await alarmDelay(object)).toBeGreaterThan(IDLE_CHECK_INTERVAL - 60_000);
      await evictDurableObject(object);
      await look(IDLE_CHECK_INTERVAL);
    }
    expect(await view()).toMatchObject({ state: "active" });
  });

  it("LV8 an idle peer whose heartbeats stop is suspect at the next check, and stale 10 s later", async () => {
    const { peer, look, view } = await join();
    const last = Date.now() + HEARTBEAT_TIMEOUT;
    setHeartbeatTime(() => Math.min(Date.now(), last));
    await look(HEARTBEAT_TIMEOUT);
    await look(IDLE_CHECK_INTERVAL);
    expect(await view()).toMatchObject({ state: "suspect", connected: true });
    await look(PONG_TIMEOUT);
    expect(await peer.closed).toMatchObject({ code: 4408 });
    expect(await view()).toMatchObject({ state: "stale" });
  });

  it("LV8 a lease is released within 80 s after the heartbeats of its peer stop", async () => {
    const { peer, object, look, view } = await join();
    const died = Date.now() + HEARTBEAT_TIMEOUT;
    setHeartbeatTime(() => Math.min(Date.now(), died));
    await look(HEARTBEAT_TIMEOUT);
    const { id } = await submitTask("echo", null, { lease_seconds: 3_600 });
    await peer.readType("task_offer");
    peer.send("task_accept", { task_id: id, fence: 1 });
    await until(view, ({ tasks }) => tasks === 1);
    const began = Date.now();
    while ((await view()).connected) {
      const wait = await alarmDelay(object);
      await look(Math.max(1, wait));
    }
    expect(Date.now() - began).toBeLessThanOrEqual(LEASED_CHECK_INTERVAL + 2 * PONG_TIMEOUT);
    expect(await view()).toMatchObject({ state: "stale", tasks: 0 });
  });

  it("LV8 a peer is checked every 60 s while it renews a lease or has brought one into the session", async () => {
    const { peer, object } = await join();
    setHeartbeatTime(() => Date.now());
    const { id } = await submitTask("echo", null, { lease_seconds: 300 });
    await peer.readType("task_offer");
    peer.send("task_accept", { task_id: id, fence: 1 });
    advanceClock(200_000);
    const leasedFor = async (of = object) => {
      const [session] = (await attachments(of)).filter(({ state }) => state === "active");
      return session?.state === "active" ? session.liveness.leasedUntil - Date.now() : 0;
    };
    peer.send("task_progress", { task_id: id, fence: 1, progress: 0.5 });
    await until(leasedFor, (ms) => ms === 300_000);
    const back = await join({ keys: peer.keys, hello: { held: [{ task_id: id, fence: 1 }] } });
    expect(await leasedFor(back.object)).toBe(300_000);
  });

  it("LV8 a muster.2 peer that sends no heartbeats is pinged every 30 s instead", async () => {
    const { peer, look, answer, view } = await join();
    await look(HEARTBEAT_TIMEOUT);
    for (let round = 0; round < 2; round++) {
      const ping = await peer.readType("ping");
      await answer(ping);
      await look(30_000);
    }
    expect(await view()).toMatchObject({ state: "active" });
  });
});

describe("an offer to a peer that is silent", () => {
  it("LV10 the offer goes to another peer at once, although the silent one has the better score", async () => {
    const silent = await join();
    await silent.look(HEARTBEAT_TIMEOUT);
    setHeartbeatTime(() => null);
    advanceClock(HEARTBEAT_TIMEOUT);
    const other = await NoisePeer.join();
    const { id } = await submitTask("echo", "work");
    const offer = await other.readType("task_offer");
    expect(offer).toMatchObject({ payload: { task_id: id } });
    other.send("task_result", {
      task_id: id,
      fence: (offer.payload as { fence: number }).fence,
      ok: true,
      result: 1,
    });
    expect(await awaitTaskEnd(id)).toMatchObject({ state: "succeeded", peer_id: other.keys.id });
  });

  it("LV10 a silent peer becomes suspect; its answer makes it active, and it gets queued tasks", async () => {
    const { peer, view, look, answer } = await join();
    await look(HEARTBEAT_TIMEOUT);
    await answer(await peer.readType("ping"));
    setHeartbeatTime(() => null);
    advanceClock(HEARTBEAT_TIMEOUT + 1_000);
    const { id } = await submitTask("echo", "work");
    await until(view, ({ state }) => state === "suspect");
    await answer(await peer.readType("ping"));
    await until(view, ({ state }) => state === "active");
    expect(await peer.readType("task_offer")).toMatchObject({ payload: { task_id: id } });
  });
});

describe("the close of a socket", () => {
  it.each([
    [undefined, 1000],
    [1000, 1000],
    [4001, 4001],
  ])("LV16 a close with %s is answered with %d, and the peer is stale", async (code, answer) => {
    const { peer, view } = await join();
    if (code === undefined) peer.socket.close();
    else peer.socket.close(code, "bye");
    expect(await peer.closed).toMatchObject({ code: answer });
    await until(view, ({ state }) => state === "stale");
  });
});
