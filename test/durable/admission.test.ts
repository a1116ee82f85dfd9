import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import { newKeyPair, type KeyPair } from "../../src/crypto/identity.ts";
import { platformRandom } from "../../src/crypto/primitives.ts";
import type { AuthMode } from "../../src/protocol/http.ts";
import type { Role } from "../../src/protocol/messages.ts";
import { present } from "../must.ts";
import { api, giveTask, peerView, pointers, until } from "./api.ts";
import { GoPeer, type PeerOptions } from "./go-peer.ts";

afterEach(async () => {
  await reset();
});

const setMode = async (mode: AuthMode) =>
  expect((await api("PUT", "/v1/auth-mode", { mode })).status).toBe(200);
const entryOf = ({ publicKey }: KeyPair) => `/v1/allowlist/${toHex(publicKey)}`;
const allow = (keys: KeyPair, more: object = {}) => api("PUT", entryOf(keys), more);
const revoke = (keys: KeyPair) => api("POST", `/v1/peers/${keys.id}/revoke`);

/** How the mesh closes on a peer that proves its key. */
async function turnedAway(options: PeerOptions) {
  const peer = await GoPeer.connect(options);
  await peer.handshake();
  peer.pong(await peer.read());
  return peer.closed;
}

/** The role that the mesh gives a peer which claims another. */
async function roleOf(keys: KeyPair, role: Role): Promise<unknown> {
  const peer = await GoPeer.connect({ keys, role });
  await peer.handshake();
  return (present(await peer.prove()).payload as { role: Role }).role;
}

describe("who may join", () => {
  it("AD1 is whoever proves a key, in mode open", async () => {
    const peer = await GoPeer.join();
    expect(await peerView(peer.keys.id)).toMatchObject({ state: "active" });
  });

  it("AD1 is who is listed, in mode allowlist, whatever role or name they claim", async () => {
    const keys = newKeyPair(platformRandom);
    await setMode("allowlist");
    for (const role of ["worker", "dual", "controller"])
      expect(await turnedAway({ keys, role })).toMatchObject({
        code: 4403,
        reason: /^not_allowed: /,
      });
    expect((await api("GET", `/v1/peers/${keys.id}`)).status).toBe(404);
    expect((await allow(keys)).status).toBe(200);
    const peer = await GoPeer.join({ keys });
    expect(await peerView(peer.keys.id)).toMatchObject({ state: "active" });
  });

  it("AD1 is not decided by an ID that was known before", async () => {
    const peer = await GoPeer.join();
    peer.close();
    await until(
      () => peerView(peer.keys.id),
      ({ state }) => state === "stale",
    );
    await setMode("allowlist");
    expect(await turnedAway({ keys: peer.keys })).toMatchObject({ code: 4403 });
    expect(await peerView(peer.keys.id)).toMatchObject({ state: "stale" });
  });

  it("HS8 can't be told from the ack: it is the same for who is listed, who is not and who is revoked", async () => {
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

describe("what a role is worth", () => {
  it("AD2 is worker alone in mode open", async () => {
    const keys = newKeyPair(platformRandom);
    expect(await roleOf(keys, "worker")).toBe("worker");
    expect(await roleOf(keys, "dual")).toBe("worker");
    expect(await roleOf(keys, "controller")).toBe("controller");
  });

  it("AD2 is what the entry grants, narrowed by the claim", async () => {
    const keys = newKeyPair(platformRandom);
    await allow(keys, { roles: ["dual"] });
    expect(await roleOf(keys, "worker")).toBe("worker");
    expect(await roleOf(keys, "dual")).toBe("dual");
    expect(await roleOf(keys, "controller")).toBe("controller");
  });

  it("AD2 turns a worker away whose entry grants controller alone", async () => {
    const keys = newKeyPair(platformRandom);
    await allow(keys, { roles: ["controller"] });
    expect(await turnedAway({ keys })).toMatchObject({ code: 4403, reason: /^not_allowed: / });
  });

  it("AD2 gives no task to a controller", async () => {
    const controller = await GoPeer.join({ role: "controller" });
    const { id, state } = await giveTask("echo", null);
    expect(state).toBe("queued");
    expect(await controller.catchUp()).toEqual([]);
    const worker = await GoPeer.join();
    expect(await worker.readType("task_offer")).toMatchObject({ payload: { task_id: id } });
  });
});

describe("tightening", () => {
  it("AD3 ends the sessions of those who are not listed, and no others", async () => {
    const listed = newKeyPair(platformRandom);
    await allow(listed);
    const stays = await GoPeer.join({ keys: listed });
    const goes = await GoPeer.join();
    await until(pointers, ({ length }) => length === 2);
    const { id } = await giveTask("echo", null, { requirements: { peer_id: goes.keys.id } });
    await goes.readType("task_offer");
    await setMode("allowlist");
    expect(await peerView(goes.keys.id)).toMatchObject({ state: "stale", connected: false });
    expect(await pointers()).toHaveLength(1);
    expect((await api("GET", `/v1/tasks/${id}`)).body).toMatchObject({ state: "queued" });
    expect(await goes.closed).toMatchObject({ code: 4403, reason: /^not_allowed: / });
    expect(await stays.catchUp()).toEqual([]);
    expect(await peerView(listed.id)).toMatchObject({ state: "active" });
  });

  it("AD3 ends the session of a key that is taken off the list, in mode allowlist", async () => {
    const keys = newKeyPair(platformRandom);
    await allow(keys);
    await setMode("allowlist");
    const peer = await GoPeer.join({ keys });
    expect((await api("DELETE", entryOf(keys))).status).toBe(204);
    expect(await peer.closed).toMatchObject({ code: 4403 });
    expect(await turnedAway({ keys })).toMatchObject({ code: 4403 });
  });

  it("AD3 leaves a worker in mode open that is taken off the list, and ends one with a higher role", async () => {
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

  it("AD3 ends the session of a key whose entry loses the role that it has", async () => {
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
  it("AD5 is allowed again only by name", async () => {
    const peer = await GoPeer.join();
    await revoke(peer.keys);
    const refused = await allow(peer.keys);
    expect(refused).toMatchObject({ status: 409, body: { code: "conflict" } });
    expect(await turnedAway({ keys: peer.keys })).toMatchObject({ reason: /^revoked: / });
    expect((await allow(peer.keys, { readmit: true })).status).toBe(200);
    expect(await peerView(peer.keys.id)).toMatchObject({ state: "stale" });
    const again = await GoPeer.join({ keys: peer.keys });
    expect(await peerView(again.keys.id)).toMatchObject({ state: "active" });
  });

  it("AD6 stays out when its record is removed", async () => {
    const peer = await GoPeer.join();
    await revoke(peer.keys);
    const path = `/v1/peers/${peer.keys.id}`;
    expect((await api("DELETE", path)).status).toBe(204);
    expect((await api("GET", path)).status).toBe(404);
    expect(await turnedAway({ keys: peer.keys })).toMatchObject({
      code: 4403,
      reason: /^revoked: /,
    });
    expect((await allow(peer.keys)).status).toBe(409);
  });
});

describe("a peer whose record is removed", () => {
  it("AD6 loses its session, its leases and its pointer, and may come back", async () => {
    const peer = await GoPeer.join();
    await until(pointers, ({ length }) => length === 1);
    const { id } = await giveTask("echo", null);
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
