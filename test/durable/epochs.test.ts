import { evictDurableObject, reset, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { PeerSession } from "../../durable/peer-session.ts";
import type { KeyPair } from "../../src/crypto/identity.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { platformRandom } from "../../src/crypto/primitives.ts";
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
import { nextExecution } from "./faults.ts";
import { GoPeer } from "./go-peer.ts";

afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await reset();
});

/** The registry's rows of the only peer. */
const record = async () => (await rows("SELECT * FROM peers"))[0];

/** The peer's rows once its pointer is published; after that they do not change by themselves. */
const publishedRecord = async () => {
  await until(pointers, ({ length }) => length === 1);
  return record();
};

/** Two sessions of one key. The older one is not ended, as when its object can't be reached. */
async function twoSessions(keys: KeyPair = newKeyPair(platformRandom)) {
  const object = newSessionStub();
  const older = await GoPeer.join({ keys, object });
  vi.spyOn(PeerSession.prototype, "end").mockResolvedValue("no_session");
  const newer = await GoPeer.join({ keys });
  return { older, newer, object, id: keys.id };
}

describe("two sessions of one key", () => {
  it("HS18 a newer session supersedes the older one, which is closed with 4409", async () => {
    const keys = newKeyPair(platformRandom);
    const older = await GoPeer.join({ keys });
    const newer = await GoPeer.join({ keys });
    expect(await older.closed).toMatchObject({ code: 4409, reason: /^superseded: / });
    expect(await newer.catchUp()).toEqual([]);
    expect(await record()).toMatchObject({ epoch: 2, state: "active" });
  });

  it("HS18 the newer session continues when the older one closes late", async () => {
    const { older, newer } = await twoSessions();
    const before = await publishedRecord();
    const heard = nextExecution("gone");
    older.close();
    await heard();
    expect(await newer.catchUp()).toEqual([]);
    expect(await record()).toEqual(before);
    expect(await pointers()).toHaveLength(1);
  });

  it("HS18 the newer session continues when the older one disconnects", async () => {
    const { older } = await twoSessions();
    const before = await publishedRecord();
    const heard = nextExecution("gone");
    older.send("disconnect", { reason: "", code: 1000 });
    expect(await older.closed).toMatchObject({ code: 1000 });
    await heard();
    expect(await record()).toEqual(before);
  });

  it("HS18 the newer session continues when the older one answers no ping", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const { older, object } = await twoSessions();
    const before = await publishedRecord();
    for (const wait of [PING_INTERVAL, PONG_TIMEOUT, PONG_TIMEOUT]) {
      vi.setSystemTime(Date.now() + wait);
      await runDurableObjectAlarm(object);
    }
    expect(await older.closed).toMatchObject({ code: 4408 });
    expect(await record()).toEqual(before);
  });

  it("HS18 the newer session continues when the older one vanishes", async () => {
    const { object } = await twoSessions();
    const before = await publishedRecord();
    await evictDurableObject(object, { webSockets: "close" });
    expect(await runDurableObjectAlarm(object)).toBe(true);
    expect(await record()).toEqual(before);
  });

  it("HS18 nothing is offered to the older session, and attempts of the peer continue", async () => {
    const keys = newKeyPair(platformRandom);
    const first = await GoPeer.join({ keys, muster: { v: 1, capabilities: [], slots: 2 } });
    const begun = await submitTask("echo", 1);
    await first.readType("task_offer");
    await first.ask("task_accept", { task_id: begun.id, fence: 1 });
    const second = await GoPeer.join({ keys, muster: { v: 1, capabilities: [], slots: 2 } });
    await first.closed;
    const fresh = await submitTask("echo", 2);
    expect(await second.readType("task_offer")).toMatchObject({ payload: { task_id: fresh.id } });
    second.send("task_result", { task_id: begun.id, fence: 1, ok: true, result: "kept" });
    expect(await awaitTaskEnd(begun.id)).toMatchObject({ state: "succeeded", result: "kept" });
  });

  it.each([
    ["task_accept", {}],
    ["task_refuse", { reason: "no" }],
    ["task_progress", { progress: 0.5 }],
    ["task_result", { ok: true, result: "forged" }],
    ["task_result", { ok: false, error: "no", retry: false }],
  ])("HS18 a %s of the older session is refused (%j)", async (type, more) => {
    const { older, newer, id } = await twoSessions();
    const task = await submitTask("echo", null);
    await newer.readType("task_offer");
    // The number of held tasks is written a little later.
    await until(record, (row) => row?.["held"] === 1);
    const before = [await record(), await rows("SELECT * FROM tasks")];
    const said = await older.ask(type, { task_id: task.id, fence: 1, ...more });
    expect(said).toMatchObject([
      { type: "error", payload: { code: 1004 } },
      { type: "task_cancel", payload: { task_id: task.id, fence: 1 } },
    ]);
    expect([await record(), await rows("SELECT * FROM tasks")]).toEqual(before);
    newer.send("task_result", { task_id: task.id, fence: 1, ok: true, result: "true" });
    expect(await awaitTaskEnd(task.id)).toMatchObject({ result: "true", peer_id: id });
  });

  it("HS18 the epoch grows with every reconnect, however the earlier session ended", async () => {
    const keys = newKeyPair(platformRandom);
    for (const epoch of [1, 2, 3]) {
      const peer = await GoPeer.connect({ keys });
      await peer.handshake();
      expect(await peer.prove()).toMatchObject({ payload: { epoch } });
      peer.close();
      await until(
        () => peerView(keys.id),
        ({ state }) => state === "stale",
      );
    }
  });
});
