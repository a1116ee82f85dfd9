import { evictDurableObject, reset, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SECOND } from "../../src/base/clock.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { platformRandom } from "../../src/crypto/primitives.ts";
import {
  CAPABILITIES_MAX,
  FRAME_BYTES_MAX,
  FRAME_QUEUE_MAX,
  REPLAY_WINDOW_IDS,
} from "../../src/protocol/constants.ts";
import type { Session } from "../../src/session/state.ts";
import { submitTask, newSessionStub, peerView, sessionStub, awaitTaskEnd, until } from "./api.ts";
import { Gate, interceptCommand } from "./faults.ts";
import { GoPeer } from "./go-peer.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await reset();
});

const advanceClock = (ms: number) => vi.setSystemTime(Date.now() + ms);
const LONG_AGO = "2020-01-01T00:00:00Z";
const STALE_CLAIM = { task_id: "5f0c7a52-0a5e-4b0e-9a4b-6f2f4d1c9b11", fence: 1 };

/** Sends this many pings with increasing timestamps, below the rate limit. */
async function sendPings(peer: GoPeer, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent++) {
    advanceClock(50);
    peer.send("ping", { sentAt: sent });
    await peer.readType("pong");
  }
}

describe("repeated and late messages", () => {
  it("HS10 a message with a timestamp before that of the proving pong is dropped, one with the same is accepted", async () => {
    const peer = await GoPeer.join();
    const proved = new Date().toISOString();
    advanceClock(SECOND);
    expect(await peer.ask("get_stats", null, { ts: LONG_AGO })).toEqual([]);
    expect(await peer.ask("get_stats", null, { ts: proved })).toMatchObject([{ type: "stats" }]);
  });

  it("HS10 a message of an earlier session is dropped although it decrypts", async () => {
    const keys = newKeyPair(platformRandom);
    const first = await GoPeer.join({ keys });
    const frame = first.seal(first.compose("get_stats", null));
    first.sendFrame(frame);
    await first.readType("stats");
    advanceClock(SECOND);
    const second = await GoPeer.join({ keys });
    second.sendFrame(frame);
    expect(await second.catchUp()).toEqual([]);
  });

  it("HS11 a repeated message is answered with error 1001 and has no effect, also after hibernation", async () => {
    const peer = await GoPeer.join();
    const message = peer.compose("get_stats", null);
    const frame = peer.seal(message);
    peer.sendFrame(frame);
    expect(await peer.catchUp()).toMatchObject([{ type: "stats" }]);
    const duplicate = [{ type: "error", payload: { code: 1001 }, replyTo: message.id }];
    peer.sendFrame(frame);
    expect(await peer.catchUp()).toMatchObject(duplicate);
    await evictDurableObject(await sessionStub(peer.keys.id));
    // The same message, encrypted again.
    peer.sendFrame(peer.seal(message));
    expect(await peer.catchUp()).toMatchObject(duplicate);
  });

  it("HS11 an ID is recognized after 255 others, and a message that left the window is dropped", async () => {
    const peer = await GoPeer.join();
    const message = peer.compose("get_stats", null);
    peer.sendFrame(peer.seal(message));
    await peer.readType("stats");
    await sendPings(peer, REPLAY_WINDOW_IDS - 1);
    await evictDurableObject(await sessionStub(peer.keys.id));
    peer.sendFrame(peer.seal(message));
    expect(await peer.read()).toMatchObject({ type: "error", replyTo: message.id });
    await sendPings(peer, 1);
    peer.sendFrame(peer.seal(message));
    // At most a ping, which would show whether the peer's clock was set back (GP13).
    const replies = (await peer.catchUp()).filter(({ type }) => type !== "ping");
    expect(replies).toEqual([]);
  });

  it("HS11 a repeated result is not counted twice", async () => {
    const peer = await GoPeer.join();
    const { id } = await submitTask("echo", null);
    await peer.readType("task_offer");
    const attempt = { task_id: id, fence: 1 };
    const result = peer.compose("task_result", { ...attempt, ok: true, result: 1 });
    peer.sendFrame(peer.seal(result));
    peer.sendFrame(peer.seal(result));
    expect(await peer.catchUp()).toMatchObject([{ type: "error", payload: { code: 1001 } }]);
    expect(await awaitTaskEnd(id)).toMatchObject({ state: "succeeded", result: 1 });
    expect(await peerView(peer.keys.id)).toMatchObject({ successes: 1, tasks: 0 });
  });
});

describe("size and order of frames", () => {
  it("HS14 a frame of one byte over 1 MiB closes the session with 4400", async () => {
    const peer = await GoPeer.join();
    peer.sendFrame(new Uint8Array(FRAME_BYTES_MAX + 1));
    expect(await peer.closed).toMatchObject({ code: 4400, reason: /^frame_too_large: / });
  });

  it("HS14 a frame of 1 MiB is accepted", async () => {
    const peer = await GoPeer.join();
    const frame = (padding: number) =>
      peer.seal(peer.compose("get_stats", { padding: "x".repeat(padding) }));
    const whole = frame(FRAME_BYTES_MAX - frame(0).length);
    expect(whole).toHaveLength(FRAME_BYTES_MAX);
    peer.sendFrame(whole);
    expect(await peer.catchUp()).toMatchObject([{ type: "stats" }]);
  });

  it("HS14 the size limit applies before the key proof, too", async () => {
    const peer = await GoPeer.connect();
    await peer.handshake();
    peer.sendFrame(new Uint8Array(FRAME_BYTES_MAX + 1));
    expect(await peer.closed).toMatchObject({ code: 4400 });
  });

  it("HS20 messages are answered in order, and one that waits for the coordinator does not hold up others", async () => {
    const peer = await GoPeer.join();
    const gate = new Gate();
    interceptCommand("progress_task", async (run) => {
      await gate.wait();
      return run();
    });
    const rounds = Array.from({ length: 5 }, () => ({
      claim: peer.send("task_progress", STALE_CLAIM).id,
      query: peer.send("get_stats", null).id,
    }));
    const stats = [];
    while (stats.length < 5) stats.push((await peer.readType("stats")).replyTo);
    expect(stats).toEqual(rounds.map(({ query }) => query));
    expect(await peer.pending()).toEqual([]);
    gate.open();
    const refusals = (await peer.catchUp()).map(({ replyTo }) => replyTo);
    expect(refusals).toEqual(rounds.map(({ claim }) => claim));
  });
});

describe("a session that could hibernate", () => {
  it("HS22 stays in memory until the coordinator has answered its commands", async () => {
    const peer = await GoPeer.join();
    const gate = new Gate();
    interceptCommand("progress_task", async (run) => {
      await gate.wait();
      return run();
    });
    const claim = peer.send("task_progress", STALE_CLAIM);
    await gate.reached();
    const evicted = evictDurableObject(await sessionStub(peer.keys.id));
    gate.open();
    expect(await peer.readType("error")).toMatchObject({ replyTo: claim.id });
    await evicted;
    // Nothing was under way when it hibernated: the session continues with its counters and its credit.
    const query = peer.send("get_stats", null);
    expect(await peer.readType("stats")).toMatchObject({ replyTo: query.id });
    expect(await peer.catchUp()).toEqual([]);
  });
});

describe("one session among others", () => {
  it("HS21 a session continues while other sessions send garbage of every kind", async () => {
    const worker = await GoPeer.join();
    const storms = await Promise.all(
      Array.from({ length: 6 }, async (_, index) => {
        const stranger = await GoPeer.connect();
        if (index > 2) await stranger.handshake();
        return stranger;
      }),
    );
    const { id } = await submitTask("echo", null);
    for (const stranger of storms)
      for (let frames = 0; frames < 30; frames++) {
        try {
          stranger.sendFrame(platformRandom(frames * 20));
          stranger.sendText(`garbage ${frames}`);
        } catch {
          break; // the socket is closed already
        }
      }
    await worker.readType("task_offer");
    worker.send("task_result", { task_id: id, fence: 1, ok: true, result: "through" });
    for (const stranger of storms) expect(await stranger.closed).toMatchObject({ code: 4400 });
    expect(await awaitTaskEnd(id)).toMatchObject({ state: "succeeded", result: "through" });
    expect(await worker.catchUp()).toEqual([]);
    expect(await peerView(worker.keys.id)).toMatchObject({ state: "active" });
  });

  it("HS21 a session is not affected by a socket that claims its name without its key", async () => {
    const worker = await GoPeer.join();
    const thief = await GoPeer.connect();
    await thief.handshake({ identity: worker.identity() }, { from: worker.keys.id });
    // The impostor has not the key to answer the ping, and uses its own.
    for (let round = 0; round < 3; round++)
      thief.send("pong", { sentAt: 0, receivedAt: 0 }, { from: worker.keys.id });
    expect(await thief.closed).toMatchObject({ code: 4400 });
    expect(await worker.catchUp()).toEqual([]);
    expect(await peerView(worker.keys.id)).toMatchObject({ state: "active" });
  });

  it("HS21 a peer that sends faster than it is served is closed, and no other", async () => {
    const other = await GoPeer.join();
    const flood = await GoPeer.join();
    const gate = new Gate();
    interceptCommand("progress_task", async (run) => {
      await gate.wait();
      return run();
    });
    flood.send("task_progress", STALE_CLAIM);
    await gate.reached();
    const frame = flood.seal(flood.compose("ping", { sentAt: 1 }));
    for (let frames = 0; frames <= FRAME_QUEUE_MAX; frames++) flood.sendFrame(frame);
    expect(await flood.closed).toMatchObject({ code: 4429 });
    expect(await other.catchUp()).toEqual([]);
    gate.open();
    await until(
      () => peerView(flood.keys.id),
      ({ state }) => state === "stale",
    );
    expect(await peerView(other.keys.id)).toMatchObject({ state: "active" });
  });
});

describe("the attachment of a session", () => {
  it("HS19 a session of the largest possible size fits its attachment and continues from it", async () => {
    const object = newSessionStub();
    const peer = await GoPeer.join({
      object,
      name: "字".repeat(64),
      muster: {
        v: 1,
        slots: 256,
        capabilities: Array.from({ length: CAPABILITIES_MAX }, (_, index) =>
          `${index}-`.padEnd(64, "c"),
        ),
      },
    });
    const message = peer.compose("get_stats", null);
    peer.sendFrame(peer.seal(message));
    await peer.readType("stats");
    await sendPings(peer, REPLAY_WINDOW_IDS - 1);
    // A plain go-p2p node announces no capabilities, so no real session holds both; the size allows it.
    await runInDurableObject(object, (_, state) => {
      for (const socket of state.getWebSockets()) {
        const session = socket.deserializeAttachment() as Session;
        const request = { type: "start_miner", taskId: crypto.randomUUID(), fence: 2 ** 40 };
        const requests = Array.from({ length: 16 }, () => ({
          ...request,
          id: crypto.randomUUID(),
        }));
        socket.serializeAttachment({ ...session, requests });
      }
    });
    await evictDurableObject(object);
    peer.sendFrame(peer.seal(message));
    expect(await peer.catchUp()).toMatchObject([{ type: "error", replyTo: message.id }]);
  });
});
