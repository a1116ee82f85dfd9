import { reset, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { MINUTE } from "../../src/base/clock.ts";
import type { KeyPair } from "../../src/crypto/identity.ts";
import {
  api,
  attachments,
  coordinatorStub,
  submitTask,
  newSessionStub,
  peerView,
  pointers,
  rows,
  awaitTaskEnd,
  until,
} from "./api.ts";
import { failSessionEnds, Gate, interceptCommand } from "./faults.ts";
import { GoPeer } from "./go-peer.ts";

afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await reset();
});

const revoke = ({ id }: KeyPair) => api("POST", `/v1/peers/${id}/revoke`);
const pendingEnds = () => rows("SELECT kind FROM outbox WHERE kind = 'end_session'");

/** A peer in its handshake: only the pong that proves its key is missing. */
async function joinUntilProof(keys?: KeyPair) {
  const object = newSessionStub();
  const peer = await GoPeer.connect({ object, ...(keys !== undefined && { keys }) });
  await peer.handshake();
  const ping = await peer.read();
  return { peer, object, prove: () => peer.pong(ping) };
}

/** Whether all sessions of the object are closed. */
const isOver = async (object: Parameters<typeof attachments>[0]) =>
  (await attachments(object)).every(({ state }) => state === "closed");

describe("revoking a peer", () => {
  it("AD4 a revoke ends the session, requeues its task and withdraws its pointer before it returns", async () => {
    const object = newSessionStub();
    const peer = await GoPeer.join({ object });
    const { id } = await submitTask("echo", "work");
    await peer.readType("task_offer");
    await peer.ask("task_accept", { task_id: id, fence: 1 });
    await until(pointers, ({ length }) => length === 1);
    const other = await GoPeer.join();
    await until(pointers, ({ length }) => length === 2);

    const answer = await revoke(peer.keys);
    expect(answer).toMatchObject({ status: 200, body: { state: "revoked", connected: false } });
    expect(await isOver(object)).toBe(true);
    expect(await pointers()).toHaveLength(1);
    expect(await peerView(peer.keys.id)).toMatchObject({ state: "revoked", tasks: 0 });
    expect(await pendingEnds()).toEqual([]);

    expect(await peer.closed).toMatchObject({ code: 4403, reason: /^revoked: / });
    expect(await other.readType("task_offer")).toMatchObject({
      payload: { task_id: id, fence: 2, payload: "work" },
    });
    other.send("task_result", { task_id: id, fence: 2, ok: true, result: "done" });
    expect(await awaitTaskEnd(id)).toMatchObject({ state: "succeeded", peer_id: other.keys.id });
  });

  it("AD4 a revoked key is refused in mode open and, although listed, in mode allowlist", async () => {
    const peer = await GoPeer.join();
    await revoke(peer.keys);
    for (const mode of ["open", "allowlist"]) {
      await api("PUT", "/v1/auth-mode", { mode });
      const back = await joinUntilProof(peer.keys);
      back.prove();
      expect(await back.peer.closed).toMatchObject({ code: 4403, reason: /^revoked: / });
    }
    expect(await peerView(peer.keys.id)).toMatchObject({ state: "revoked" });
  });

  it("AD4 a peer that is not connected can be revoked", async () => {
    const peer = await GoPeer.join();
    peer.close();
    await until(
      () => peerView(peer.keys.id),
      ({ state }) => state === "stale",
    );
    expect((await revoke(peer.keys)).status).toBe(200);
  });

  it("AD4 a result that arrives after the revoke has no effect", async () => {
    failSessionEnds();
    const peer = await GoPeer.join();
    const { id } = await submitTask("echo", null);
    await peer.readType("task_offer");
    await revoke(peer.keys);
    const said = await peer.ask("task_result", { task_id: id, fence: 1, ok: true, result: "late" });
    expect(said).toMatchObject([
      { type: "error", payload: { code: 1004 } },
      { type: "task_cancel", payload: { task_id: id, fence: 1 } },
    ]);
    expect((await api("GET", `/v1/tasks/${id}`)).body).toMatchObject({ state: "queued" });
  });
});

describe("revoking a peer whose session does not confirm its end", () => {
  it("AD4 the revoke answers 504 revoke_unconfirmed, and its other effects hold", async () => {
    failSessionEnds();
    const peer = await GoPeer.join();
    const { id } = await submitTask("echo", null);
    await peer.readType("task_offer");
    await until(pointers, ({ length }) => length === 1);
    expect(await revoke(peer.keys)).toMatchObject({
      status: 504,
      body: { code: "revoke_unconfirmed" },
    });
    expect(await peerView(peer.keys.id)).toMatchObject({ state: "revoked", tasks: 0 });
    expect(await pointers()).toEqual([]);
    expect((await api("GET", `/v1/tasks/${id}`)).body).toMatchObject({ state: "queued" });
  });

  it("AD4 the end of the session is repeated until the session confirms it", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const ends = failSessionEnds();
    const peer = await GoPeer.join();
    await revoke(peer.keys);
    for (const tries of [2, 3]) {
      vi.setSystemTime(Date.now() + MINUTE);
      await runDurableObjectAlarm(coordinatorStub());
      await until(
        async () => ends.mock.calls.length,
        (calls) => calls === tries,
      );
    }
    expect(await peer.catchUp()).toEqual([]);
    ends.mockRestore();
    vi.setSystemTime(Date.now() + MINUTE);
    await runDurableObjectAlarm(coordinatorStub());
    expect(await peer.readType("disconnect")).toMatchObject({ payload: { code: 1001 } });
    expect(await peer.closed).toMatchObject({ code: 4403, reason: /^revoked: / });
    await until(pendingEnds, ({ length }) => length === 0);
  });

  it("AD4 a repeated revoke answers 504 again until the session has confirmed its end", async () => {
    const ends = failSessionEnds();
    const peer = await GoPeer.join();
    await revoke(peer.keys);
    expect(await revoke(peer.keys)).toMatchObject({ status: 504 });
    ends.mockRestore();
    expect(await revoke(peer.keys)).toMatchObject({ status: 200, body: { state: "revoked" } });
    expect(await peer.closed).toMatchObject({ code: 4403 });
  });
});

describe("revoking a peer while its admission is in progress", () => {
  it("AD4 no session remains when the coordinator had admitted the peer before the revoke", async () => {
    const gate = new Gate();
    interceptCommand("admit", async (run) => {
      const admitted = await run();
      await gate.wait();
      return admitted;
    });
    const { peer, object, prove } = await joinUntilProof();
    prove();
    await gate.reached();
    expect(await attachments(object)).toMatchObject([{ state: "admitting" }]);
    const answer = revoke(peer.keys);
    await until(
      () => peerView(peer.keys.id),
      ({ state }) => state === "revoked",
    );
    gate.open();
    expect(await answer).toMatchObject({ status: 200, body: { state: "revoked" } });
    expect(await isOver(object)).toBe(true);
    expect(await peer.closed).toMatchObject({ code: 4403 });
    expect(await peerView(peer.keys.id)).toMatchObject({ state: "revoked" });
  });

  it("AD4 the peer is refused when the coordinator handles the revoke before the admission", async () => {
    const known = await GoPeer.join();
    known.close();
    const gate = new Gate();
    interceptCommand("admit", async (run) => {
      await gate.wait();
      return run();
    });
    const { peer, object, prove } = await joinUntilProof(known.keys);
    prove();
    await gate.reached();
    expect(await revoke(peer.keys)).toMatchObject({ status: 200 });
    gate.open();
    expect(await peer.closed).toMatchObject({ code: 4403, reason: /^revoked: / });
    expect(await isOver(object)).toBe(true);
    expect(await peerView(peer.keys.id)).toMatchObject({ state: "revoked" });
  });
});
