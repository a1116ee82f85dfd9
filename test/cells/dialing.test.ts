import { describe, expect, it } from "vitest";
import { homeOf } from "../../src/cells/topology.ts";
import type { CoordinatorConfig } from "../../src/coordinator/kernel/context.ts";
import type { DialRef } from "../../src/peers/dial.ts";
import { DIAL_TIME_SLICE } from "../../src/protocol/constants.ts";
import type { DialView } from "../../src/protocol/http.ts";
import type { Key } from "../coordinator/keys.ts";
import { must, present } from "../must.ts";
import { CellMesh } from "./cell-mesh.ts";
import { startedMesh } from "./mesh-facts.ts";
import { CellPeer, keysOfCells } from "./cell-peers.ts";

const started = (config: Partial<CoordinatorConfig> = {}): Promise<CellMesh> =>
  startedMesh(new CellMesh({ cells: 4, config }));

const urlOf = ({ id }: Key): string => `wss://${id}.example:9091/ws`;

async function register(mesh: CellMesh, key: Key, isKnown = true): Promise<void> {
  const proved = isKnown ? { publicKey: key.publicKey, peerId: key.id } : null;
  must(await mesh.call("dial_peer", { url: urlOf(key), name: "", key: proved }));
  await mesh.drain();
}

/** The newest attempt at the address of a key. */
function attemptAt(mesh: CellMesh, key: Key): DialRef {
  const order = mesh.effects.findLast(
    (effect) => effect.type === "dial" && effect.order.url === urlOf(key),
  );
  return present(order?.type === "dial" ? order.order.dial : null);
}

const dialOf = async (mesh: CellMesh, key: Key): Promise<DialView> =>
  present(must(await mesh.call("list_dials", {})).dials.find(({ url }) => url === urlOf(key)));

const GO_P2P = { protocol: "go-p2p/1.0", speaksMuster: false } as const;

/** The peer at the address of a key answers the newest attempt. */
async function answer(mesh: CellMesh, key: Key): Promise<CellPeer> {
  const peer = new CellPeer(mesh, key);
  must(await peer.join({ ...GO_P2P, dial: attemptAt(mesh, key) }));
  await mesh.drain();
  return peer;
}

describe("dials in a mesh of several cells", () => {
  it("CE130 cell 0 dials a peer, the peer's cell admits it, and cell 0 knows when it leaves", async () => {
    for (const cell of [0, 1, 2, 3]) {
      const mesh = await started();
      const key = present(keysOfCells(mesh, 1)[cell]?.[0]);
      await register(mesh, key);
      expect(must(await mesh.call("get_peer", { id: key.id })).state).toBe("discovered");
      const peer = await answer(mesh, key);
      expect(must(await mesh.call("get_peer", { id: key.id })).state).toBe("active");
      expect(await dialOf(mesh, key)).toMatchObject({ state: "connected", peer_id: key.id });
      await peer.leave();
      await mesh.drain();
      expect(await dialOf(mesh, key)).toMatchObject({ state: "waiting", last_error: "it left" });
    }
  });

  it("CE130 an address without a key belongs to the first key that is proved there, whichever cell it is of", async () => {
    const mesh = await started();
    const [key, other] = present(keysOfCells(mesh, 2)[3]) as [Key, Key];
    await register(mesh, key, false);
    const peer = await answer(mesh, key);
    expect(await dialOf(mesh, key)).toMatchObject({ public_key: key.publicKey });
    await peer.leave();
    await mesh.settle(8);
    const refused = await new CellPeer(mesh, other).join({ dial: attemptAt(mesh, key) });
    expect(refused).toMatchObject({ error: { code: "identity_mismatch" } });
  });

  it("CE130 a dial finds a peer of another cell connected: its session stays, and it is not dialed", async () => {
    const mesh = await started();
    const key = present(keysOfCells(mesh, 1)[2]?.[0]);
    const peer = new CellPeer(mesh, key);
    await register(mesh, key);
    const dial = attemptAt(mesh, key);
    must(await peer.join());
    await mesh.drain();
    expect(await new CellPeer(mesh, key).join({ ...GO_P2P, dial })).toMatchObject({
      error: { code: "superseded" },
    });
    const proved = { publicKey: key.publicKey, peerId: key.id };
    await mesh.session({ name: "dial_failed", input: { dial, error: "connected", proved } });
    await mesh.drain();
    expect(await dialOf(mesh, key)).toMatchObject({ state: "resting" });
    await peer.leave();
    await mesh.drain();
    expect(await dialOf(mesh, key)).toMatchObject({ state: "waiting" });
  });

  it("CE131 removing an address ends the session of its peer in another cell before the command returns", async () => {
    const mesh = await started();
    const key = present(keysOfCells(mesh, 1)[1]?.[0]);
    await register(mesh, key);
    const peer = await answer(mesh, key);
    const { id } = await dialOf(mesh, key);
    mesh.transport.down.add(1);
    expect(await mesh.call("remove_dial", { id })).toMatchObject({
      error: { code: "revoke_unconfirmed" },
    });
    expect(mesh.inbox(peer.session).endFault).toBeNull();
    mesh.transport.down.delete(1);
    await mesh.settle(4);
    expect(mesh.inbox(peer.session).endFault).toMatchObject({ code: "forgotten" });
    expect(must(await mesh.call("get_peer", { id: key.id })).state).toBe("stale");
  });

  it("CE131 an address that is removed while its peer is admitted leaves no session", async () => {
    const mesh = await started();
    const key = present(keysOfCells(mesh, 1)[1]?.[0]);
    await register(mesh, key);
    mesh.transport.faultOf = (to, names) =>
      to === 0 && names.includes("receive_messages") ? "request_lost" : "none";
    const peer = await answer(mesh, key);
    must(await mesh.call("remove_dial", { id: (await dialOf(mesh, key)).id }));
    mesh.transport.faultOf = () => "none";
    await mesh.settle(4);
    expect(mesh.inbox(peer.session).endFault).toMatchObject({ code: "forgotten" });
  });

  it("CE131 the last address of a peer of another cell that never proved itself takes its record with it", async () => {
    const mesh = await started();
    const key = present(keysOfCells(mesh, 1)[3]?.[0]);
    await register(mesh, key);
    must(await mesh.call("remove_dial", { id: (await dialOf(mesh, key)).id }));
    await mesh.drain();
    expect((await mesh.call("get_peer", { id: key.id })).ok).toBe(false);
  });

  it("CE131 forgetting a peer of another cell removes its addresses", async () => {
    const mesh = await started();
    const key = present(keysOfCells(mesh, 1)[2]?.[0]);
    await register(mesh, key);
    await answer(mesh, key);
    must(await mesh.call("forget_peer", { id: key.id }));
    await mesh.drain();
    expect(must(await mesh.call("list_dials", {})).dials).toEqual([]);
  });

  it("CE132 a key that is revoked in its cell is not registered, and is dialed at once when it is readmitted", async () => {
    const mesh = await started();
    const key = present(keysOfCells(mesh, 1)[1]?.[0]);
    await register(mesh, key);
    await answer(mesh, key);
    must(await mesh.call("revoke_peer", { id: key.id }));
    await mesh.settle(8);
    const before = mesh.effects.filter(({ type }) => type === "dial").length;
    const refused = await new CellPeer(mesh, key).join({ dial: attemptAt(mesh, key) });
    expect(refused).toMatchObject({ error: { code: "revoked" } });
    const proved = { publicKey: key.publicKey, peerId: key.id };
    const dial = attemptAt(mesh, key);
    await mesh.session({ name: "dial_failed", input: { dial, error: "revoked", proved } });
    const other = { url: "wss://other.example/ws", name: "", key: proved };
    expect(await mesh.call("dial_peer", other)).toMatchObject({ error: { code: "conflict" } });
    must(await mesh.call("lift_denial", { id: key.id }));
    await mesh.drain();
    expect(mesh.effects.filter(({ type }) => type === "dial")).toHaveLength(before + 1);
    await answer(mesh, key);
    expect(await dialOf(mesh, key)).toMatchObject({ state: "connected" });
  });

  it("CE133 an idle session whose turn is over gives its place to another, whichever cells they are in; a busy one does not", async () => {
    for (const [first, second] of [
      [1, 2],
      [2, 0],
      [0, 3],
    ] as const) {
      const mesh = await started({ dialsMax: 1 });
      const keys = keysOfCells(mesh, 1);
      const [idle, waiting] = [present(keys[first]?.[0]), present(keys[second]?.[0])];
      await register(mesh, idle);
      await answer(mesh, idle);
      await register(mesh, waiting);
      expect(await dialOf(mesh, waiting)).toMatchObject({ state: "queued" });
      mesh.now += DIAL_TIME_SLICE;
      await mesh.cellOf(0).tick();
      const home = mesh.cellOf(homeOf(mesh.known, idle.id));
      const peer = present(home.registry.peers.get(idle.id));
      home.registry.peers.put({ ...peer, held: 1 });
      const busy = await new CellPeer(mesh, waiting).join({
        ...GO_P2P,
        dial: attemptAt(mesh, waiting),
      });
      expect(busy).toMatchObject({ error: { code: "mesh_full" } });
      home.registry.peers.put({ ...peer, held: 0 });
      await answer(mesh, waiting);
      await mesh.settle(1);
      expect(await dialOf(mesh, waiting)).toMatchObject({ state: "connected" });
      expect((await dialOf(mesh, idle)).state).not.toBe("connected");
      expect(must(await mesh.call("get_peer", { id: idle.id })).state).toBe("stale");
    }
  });

  it("CE134 without an address, no cell tells cell 0 what only dials need", async () => {
    const mesh = await started();
    const key = present(keysOfCells(mesh, 1)[1]?.[0]);
    const entry = { publicKey: key.publicKey, peerId: key.id, label: "", roles: ["worker"] };
    const before = mesh.cellOf(1).links(0).sent;
    must(await mesh.call("allow", { ...entry, readmit: false, go_p2p: false } as never));
    await mesh.drain();
    expect(mesh.cellOf(1).links(0).sent).toBe(before);
    await register(mesh, key);
    must(await mesh.call("allow", { ...entry, readmit: false, go_p2p: false } as never));
    await mesh.drain();
    expect(mesh.cellOf(1).links(0).sent).toBe(before + 1);
  });
});
