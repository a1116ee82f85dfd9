import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import type { KeyPair } from "../../src/crypto/identity.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { platformRandom } from "../../src/crypto/primitives.ts";
import type { AuthMode } from "../../src/protocol/http.ts";
import type { Role } from "../../src/protocol/messages.ts";
import { present } from "../must.ts";
import { api, submitTask, peerView, pointers, until } from "./api.ts";
import { GoPeer, type PeerOptions } from "./go-peer.ts";

afterEach(async () => {
  await reset();
});

const setMode = async (mode: AuthMode) =>
  expect((await api("PUT", "/v1/auth-mode", { mode })).status).toBe(200);
const entryOf = ({ publicKey }: KeyPair) => `/v1/allowlist/${toHex(publicKey)}`;
const allow = (keys: KeyPair, more: object = {}) => api("PUT", entryOf(keys), more);
const revoke = (keys: KeyPair) => api("POST", `/v1/peers/${keys.id}/revoke`);

/** The close of a session whose peer has proved its key. */
async function closeOf(options: PeerOptions) {
  const peer = await GoPeer.connect(options);
  await peer.handshake();
  peer.pong(await peer.read());
  return peer.closed;
}

/** The role that a peer gets for a claimed role. */
async function roleOf(keys: KeyPair, role: Role): Promise<unknown> {
  const peer = await GoPeer.connect({ keys, role });
  await peer.handshake();
  return (present(await peer.prove()).payload as { role: Role }).role;
}

describe("which peers may join", () => {
  it("AD1 in mode open any peer that proves a key may join", async () => {
    const peer = await GoPeer.join();
    expect(await peerView(peer.keys.id)).toMatchObject({ state: "active" });
  });

  it("AD1 in mode allowlist only listed keys may join, whatever role or name the peer claims", async () => {
    const keys = newKeyPair(platformRandom);
    await setMode("allowlist");
    for (const role of ["worker", "dual", "controller"])
      expect(await closeOf({ keys, role })).toMatchObject({
        code: 4403,
        reason: /^not_allowed: /,
      });
    expect((await api("GET", `/v1/peers/${keys.id}`)).status).toBe(404);
    expect((await allow(keys)).status).toBe(200);
    const peer = await GoPeer.join({ keys });
    expect(await peerView(peer.keys.id)).toMatchObject({ state: "active" });
  });

  it("AD1 a known peer ID does not replace an allowlist entry", async () => {
    const peer = await GoPeer.join();
    peer.close();
    await until(
      () => peerView(peer.keys.id),
      ({ state }) => state === "stale",
    );
    await setMode("allowlist");
    expect(await closeOf({ keys: peer.keys })).toMatchObject({ code: 4403 });
    expect(await peerView(peer.keys.id)).toMatchObject({ state: "stale" });
  });

  it("HS8 the ack is the same for listed, unlisted and revoked keys", async () => {
    const [listed, revoked, unknown] = [1, 2, 3].map(() => newKeyPair(platformRandom));
    await GoPeer.join({ keys: revoked as KeyPair });
    await revoke(revoked as KeyPair);
    await setMode("allowlist");
    await allow(listed as KeyPair);
    const answers = [];
    for (const keys of [listed, revoked, unknown]) {
      const peer = await GoPeer.connect({ keys: keys as KeyPair });
      const ack = await peer.handshake();
      const { challengeResponse, ...rest } = ack.payload as { challengeResponse: string };
      answers.push([rest, challengeResponse.length, (await peer.read()).type]);
    }
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
    expect(answers[0]?.[0]).toMatchObject({ accepted: true });
  });
});

describe("the role of a peer", () => {
  it("AD2 in mode open every peer is a worker", async () => {
    const keys = newKeyPair(platformRandom);
    expect(await roleOf(keys, "worker")).toBe("worker");
    expect(await roleOf(keys, "dual")).toBe("worker");
    expect(await roleOf(keys, "controller")).toBe("controller");
  });

  it("AD2 the role is that of the allowlist entry, narrowed by the peer's claim", async () => {
    const keys = newKeyPair(platformRandom);
    await allow(keys, { roles: ["dual"] });
    expect(await roleOf(keys, "worker")).toBe("worker");
    expect(await roleOf(keys, "dual")).toBe("dual");
    expect(await roleOf(keys, "controller")).toBe("controller");
  });

  it("AD2 a peer that claims worker is refused when its entry grants only controller", async () => {
    const keys = newKeyPair(platformRandom);
    await allow(keys, { roles: ["controller"] });
    expect(await closeOf({ keys })).toMatchObject({ code: 4403, reason: /^not_allowed: / });
  });

  it("AD2 a controller gets no tasks", async () => {
    const controller = await GoPeer.join({ role: "controller" });
    const { id, state } = await submitTask("echo", null);
    expect(state).toBe("queued");
    expect(await controller.catchUp()).toEqual([]);
    const worker = await GoPeer.join();
    expect(await worker.readType("task_offer")).toMatchObject({ payload: { task_id: id } });
  });
});

describe("a change that narrows which peers are allowed", () => {
  it("AD3 changing to mode allowlist ends the sessions of unlisted peers, and no others", async () => {
    const listed = newKeyPair(platformRandom);
    await allow(listed);
    const stays = await GoPeer.join({ keys: listed });
    const goes = await GoPeer.join();
    await until(pointers, ({ length }) => length === 2);
    const { id } = await submitTask("echo", null, { requirements: { peer_id: goes.keys.id } });
    await goes.readType("task_offer");
    await setMode("allowlist");
    expect(await peerView(goes.keys.id)).toMatchObject({ state: "stale", connected: false });
    expect(await pointers()).toHaveLength(1);
    expect((await api("GET", `/v1/tasks/${id}`)).body).toMatchObject({ state: "queued" });
    expect(await goes.closed).toMatchObject({ code: 4403, reason: /^not_allowed: / });
    expect(await stays.catchUp()).toEqual([]);
    expect(await peerView(listed.id)).toMatchObject({ state: "active" });
  });

  it("AD3 in mode allowlist removing an entry ends the session of its key", async () => {
    const keys = newKeyPair(platformRandom);
    await allow(keys);
    await setMode("allowlist");
    const peer = await GoPeer.join({ keys });
    expect((await api("DELETE", entryOf(keys))).status).toBe(204);
    expect(await peer.closed).toMatchObject({ code: 4403 });
    expect(await closeOf({ keys })).toMatchObject({ code: 4403 });
  });

  it("AD3 in mode open removing an entry leaves a worker connected and ends a session with a higher role", async () => {
    const [worker, dual] = [newKeyPair(platformRandom), newKeyPair(platformRandom)];
    await allow(worker);
    await allow(dual, { roles: ["dual"] });
    const stays = await GoPeer.join({ keys: worker });
    const goes = await GoPeer.join({ keys: dual, role: "dual" });
    await api("DELETE", entryOf(worker));
    await api("DELETE", entryOf(dual));
    expect(await goes.closed).toMatchObject({ code: 4403 });
    expect(await stays.catchUp()).toEqual([]);
  });

  it("AD3 an entry that loses the role of a live session ends that session", async () => {
    const keys = newKeyPair(platformRandom);
    await allow(keys, { roles: ["dual"] });
    const peer = await GoPeer.join({ keys, role: "dual" });
    await allow(keys, { roles: ["worker"] });
    expect(await peer.closed).toMatchObject({ code: 4403 });
    const again = await GoPeer.join({ keys, role: "dual" });
    expect(await peerView(again.keys.id)).toMatchObject({ role: "worker", state: "active" });
  });
});

describe("a revoked key", () => {
  it("AD5 a revoked key is admitted again only by an entry with readmit", async () => {
    const peer = await GoPeer.join();
    await revoke(peer.keys);
    const refused = await allow(peer.keys);
    expect(refused).toMatchObject({ status: 409, body: { code: "conflict" } });
    expect(await closeOf({ keys: peer.keys })).toMatchObject({ reason: /^revoked: / });
    expect((await allow(peer.keys, { readmit: true })).status).toBe(200);
    expect(await peerView(peer.keys.id)).toMatchObject({ state: "stale" });
    const again = await GoPeer.join({ keys: peer.keys });
    expect(await peerView(again.keys.id)).toMatchObject({ state: "active" });
  });

  it("AD6 a revoked key stays revoked when its peer record is removed", async () => {
    const peer = await GoPeer.join();
    await revoke(peer.keys);
    const path = `/v1/peers/${peer.keys.id}`;
    expect((await api("DELETE", path)).status).toBe(204);
    expect((await api("GET", path)).status).toBe(404);
    expect(await closeOf({ keys: peer.keys })).toMatchObject({
      code: 4403,
      reason: /^revoked: /,
    });
    expect((await allow(peer.keys)).status).toBe(409);
  });
});

describe("a peer whose record is removed", () => {
  it("AD6 removing the record ends the session, its leases and its pointer, and the peer may reconnect", async () => {
    const peer = await GoPeer.join();
    await until(pointers, ({ length }) => length === 1);
    const { id } = await submitTask("echo", null);
    await peer.readType("task_offer");
    expect((await api("DELETE", `/v1/peers/${peer.keys.id}`)).status).toBe(204);
    expect(await pointers()).toEqual([]);
    expect((await api("GET", `/v1/tasks/${id}`)).body).toMatchObject({ state: "queued" });
    expect(await peer.closed).toMatchObject({ code: 1000, reason: /^forgotten: / });
    const again = await GoPeer.join({ keys: peer.keys });
    expect(await again.readType("task_offer")).toMatchObject({
      payload: { task_id: id, fence: 2 },
    });
  });
});
