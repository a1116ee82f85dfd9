import { describe, expect, test } from "vitest";
import { MINUTE } from "../../../src/base/clock.ts";
import { present } from "../../must.ts";
import { testKey, TestMesh, TestPeer, type Key } from "../mesh.ts";

const PLACES = 8;
const RESERVED = 2;
const strangers = Array.from({ length: PLACES + 1 }, (_, n) => testKey(500 + n));
const listed = Array.from({ length: 5 }, (_, n) => testKey(600 + n));

const list = (mesh: TestMesh, ...keys: readonly Key[]): void => {
  for (const { id: peerId, publicKey } of keys)
    mesh.run("allow", {
      publicKey,
      peerId,
      label: "",
      roles: ["worker"],
      readmit: false,
      go_p2p: false,
    });
};
/** Joins as many of these as are admitted. */
const joinAll = (mesh: TestMesh, keys: readonly Key[]): TestPeer[] =>
  keys.flatMap((key) => {
    const peer = new TestPeer(mesh, key);
    try {
      peer.join();
      return [peer];
    } catch {
      return [];
    }
  });
const errorOf = (mesh: TestMesh, key: Key): string =>
  mesh.errorOf("admit", new TestPeer(mesh, key).admitInput()).code;
const open = (): TestMesh => new TestMesh({ config: { peersMax: PLACES } });

describe("the places of a mesh", () => {
  test("RL3 without allowlist entries strangers may take every place, and no more", () => {
    expect(joinAll(open(), strangers)).toHaveLength(PLACES);
  });

  test("RL21 strangers can't take the places that are reserved for listed keys", () => {
    const mesh = open();
    list(mesh, ...listed);
    expect(joinAll(mesh, strangers)).toHaveLength(PLACES - RESERVED);
    expect(joinAll(mesh, listed.slice(0, RESERVED))).toHaveLength(RESERVED);
    const { peers, roster } = mesh.registry;
    expect(roster.size - peers.connectedListed()).toBe(PLACES - RESERVED);
    expect(errorOf(mesh, present(strangers.at(-1)))).toBe("mesh_full");
  });

  test("RL21 no more places are reserved than there are entries", () => {
    const mesh = open();
    list(mesh, present(listed[0]));
    expect(joinAll(mesh, strangers)).toHaveLength(PLACES - 1);
  });

  test("RL21 a listed key that finds no free place displaces a stranger that holds nothing, the least valuable one", () => {
    const mesh = open();
    const peers = joinAll(mesh, strangers);
    const useful = present(peers[0]);
    mesh.submit({ kind: "echo", requirements: { peer_id: useful.id } });
    useful.accept();
    useful.finish();
    for (const { id } of peers.slice(1, 3))
      mesh.submit({ kind: "echo", requirements: { peer_id: id } });
    list(mesh, ...listed);
    expect(joinAll(mesh, listed)).toHaveLength(listed.length);
    const ended = peers.filter(({ endFault }) => endFault?.code === "mesh_full");
    expect(ended).toHaveLength(listed.length);
    for (const kept of peers.slice(0, 3)) expect(kept.endFault).toBeNull();
    expect(mesh.registry.roster.size).toBe(PLACES);
  });

  test("RL21 strangers that all hold tasks are displaced as far as the reserve reaches, and their tasks are queued again", () => {
    const mesh = open();
    const peers = joinAll(mesh, strangers);
    const tasks = peers.map((peer) => {
      const { id } = mesh.submit({ kind: "echo", requirements: { peer_id: peer.id } });
      peer.accept();
      return id;
    });
    list(mesh, ...listed);
    expect(joinAll(mesh, listed)).toHaveLength(RESERVED);
    expect(errorOf(mesh, present(listed.at(-1)))).toBe("mesh_full");
    expect(tasks.filter((id) => mesh.task(id).state === "queued")).toHaveLength(RESERVED);
  });

  test("RL21 being displaced says nothing about the peer: neither its score nor its circuits change", () => {
    const mesh = open();
    const peers = joinAll(mesh, strangers);
    for (const peer of peers) {
      mesh.submit({ kind: "echo", requirements: { peer_id: peer.id } });
      peer.accept();
    }
    mesh.advanceClock(MINUTE);
    const observed = () =>
      peers.map(({ id }) => {
        const { successes, failures, timeouts } = present(mesh.registry.observed.get(id)).outcomes;
        return [successes, failures, timeouts, mesh.registry.peers.get(id)?.failures];
      });
    const before = observed();
    list(mesh, ...listed);
    joinAll(mesh, listed);
    expect(peers.filter(({ endFault }) => endFault?.code === "mesh_full")).toHaveLength(RESERVED);
    expect(observed()).toEqual(before);
    expect(mesh.rows("SELECT * FROM circuits")).toEqual([]);
  });

  test("RL21 a listed peer is never displaced", () => {
    const mesh = open();
    const many = Array.from({ length: PLACES }, (_, n) => testKey(700 + n));
    list(mesh, ...many, ...listed);
    expect(joinAll(mesh, many)).toHaveLength(PLACES);
    expect(errorOf(mesh, present(listed[0]))).toBe("mesh_full");
  });

  test("RL21 a refused admission displaces nobody", () => {
    const mesh = open();
    const [revoked] = listed as [Key, ...Key[]];
    list(mesh, revoked);
    mesh.join(revoked);
    mesh.run("revoke_peer", { id: revoked.id });
    const peers = joinAll(mesh, strangers);
    expect(errorOf(mesh, revoked)).toBe("revoked");
    for (const { endFault } of peers) expect(endFault).toBeNull();
  });
});
