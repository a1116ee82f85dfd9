import { evictDurableObject, reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { fromBase64 } from "../../src/base/bytes.ts";
import { submitTask, peerView, sessionStub, awaitTaskEnd, until } from "./api.ts";
import { GoPeer } from "./go-peer.ts";

afterEach(async () => {
  await reset();
});

describe("a go-p2p 1.0 session", () => {
  it("HS1 the handshake is acknowledged, the key proved by the pong, and the peer welcomed", async () => {
    const peer = await GoPeer.connect();
    const ack = await peer.handshake();
    expect(ack.payload).toMatchObject({ accepted: true, identity: { id: peer.meshId } });
    expect(
      fromBase64((ack.payload as { challengeResponse: string }).challengeResponse),
    ).toHaveLength(32);
    const welcome = await peer.prove();
    expect(welcome).toMatchObject({
      type: "welcome",
      payload: { peer_id: peer.keys.id, epoch: 1, role: "worker" },
    });
    expect(await peerView(peer.keys.id)).toMatchObject({
      connected: true,
      state: "active",
      hops: 1,
    });
  });

  it("HS19 a session continues after its object hibernated", async () => {
    const peer = await GoPeer.join();
    await evictDurableObject(await sessionStub(peer.keys.id));
    peer.send("ping", { sentAt: 7 });
    expect(await peer.readType("pong")).toMatchObject({ payload: { sentAt: 7 } });
    const task = await submitTask("echo", { text: "hello" });
    const offer = await peer.readType("task_offer");
    expect(offer.payload).toMatchObject({
      task_id: task.id,
      fence: 1,
      kind: "echo",
      payload: { text: "hello" },
    });
    await evictDurableObject(await sessionStub(peer.keys.id));
    peer.send("task_accept", { task_id: task.id, fence: 1 });
    peer.send("task_result", { task_id: task.id, fence: 1, ok: true, result: "hello" });
    expect(await awaitTaskEnd(task.id)).toMatchObject({
      state: "succeeded",
      result: "hello",
      peer_id: peer.keys.id,
    });
  });

  it("LV16 a peer is stale as soon as its socket closes", async () => {
    const peer = await GoPeer.join();
    peer.close();
    await until(
      () => peerView(peer.keys.id),
      ({ connected, state }) => !connected && state === "stale",
    );
  });
});
