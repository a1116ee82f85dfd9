import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pointerIdOf, readerToken } from "../../src/discovery/epoch-secrets.ts";
import { fromHex } from "../../src/base/bytes.ts";
import { homeOf, SINGLE, withCells } from "../../src/cells/topology.ts";
import type { CoordinatorConfig } from "../../src/coordinator/kernel/context.ts";
import { EPOCH_INTERVAL_MIN } from "../../src/protocol/constants.ts";
import type { DiscoveryKeys } from "../../src/protocol/discovery.ts";
import { testKey } from "../coordinator/keys.ts";
import { TEST_CONFIG } from "../coordinator/test-config.ts";
import { must, present } from "../must.ts";
import { CellMesh } from "./cell-mesh.ts";
import { startedMesh } from "./mesh-facts.ts";
import { CellPeer, keysOfCells } from "./cell-peers.ts";
import { faultsAmong, turn, type Fault } from "./transport.ts";

const FOUR = { cells: 4 };
const MEMBERS_ARE_LISTED = {
  config: { discovery: { ...TEST_CONFIG.discovery, members: "listed" as const } },
};

async function started(
  options: { cells: number; seed?: number; config?: Partial<CoordinatorConfig> } = FOUR,
): Promise<CellMesh> {
  return startedMesh(new CellMesh(options));
}

/** One peer of each cell, connected and published. */
async function joined(mesh: CellMesh): Promise<readonly CellPeer[]> {
  const peers = keysOfCells(mesh, 1).flatMap((keys) => keys.map((key) => new CellPeer(mesh, key)));
  for (const peer of peers) must(await peer.join());
  await mesh.drain();
  await mesh.settle(3);
  return peers;
}

const pointersOf = async (mesh: CellMesh) =>
  must(await mesh.call("list_pointers", { query: { limit: 100 } }));

/** The peers whose pointers are listed. */
const listed = (mesh: CellMesh): readonly string[] =>
  mesh
    .cellOf(0)
    .rows(`SELECT peer_id FROM pointers WHERE state = 'listed' ORDER BY peer_id`)
    .map((row) => String(row["peer_id"]));

const idsOf = (peers: readonly CellPeer[]): readonly string[] =>
  peers.map(({ id }) => id).toSorted();

/** Whether the reader token of the newest epoch that a member got reads. */
async function reads(mesh: CellMesh, { epochs }: DiscoveryKeys, peerId: string): Promise<boolean> {
  const secret = fromHex(present(epochs.at(-1)).pointer_secret) ?? new Uint8Array();
  const input = {
    id: pointerIdOf(secret, peerId),
    anybody: false,
    credential: { id: "", hash: "" },
    reader: readerToken(secret),
  };
  return must(await mesh.call("read_discovery", input)).allowed;
}

describe("discovery in a mesh of several cells", () => {
  it("CE120 peers of all cells are found by pointers of cell 0, with one sequence", async () => {
    const mesh = await started();
    const peers = await joined(mesh);
    expect(new Set(peers.map(({ id }) => homeOf(mesh.known, id)))).toEqual(new Set([0, 1, 2, 3]));
    const { pointers, checkpoint } = await pointersOf(mesh);
    expect(listed(mesh)).toEqual(idsOf(peers));
    const numbers = pointers.map(({ seq }) => seq).toSorted((a, b) => a - b);
    expect(numbers).toEqual([1, 2, 3, 4]);
    expect(checkpoint.seq).toBe(4);
    for (const cell of mesh.cells.slice(1)) {
      expect(cell.rows(`SELECT COUNT(*) AS n FROM pointers`)).toEqual([{ n: 0 }]);
      expect(cell.rows(`SELECT COUNT(*) AS n FROM unsettled_blobs`)).toEqual([{ n: 0 }]);
    }
  });

  it("CE120 a peer that leaves is withdrawn, and found again without a write when it returns unchanged", async () => {
    const mesh = await started();
    const peers = await joined(mesh);
    const away = present(peers.at(-1));
    const blobs = new Set(mesh.store.keys);
    await away.leave();
    await mesh.drain();
    expect(listed(mesh)).toEqual(idsOf(peers.slice(0, -1)));
    must(await away.join());
    await mesh.drain();
    expect(listed(mesh)).toEqual(idsOf(peers));
    expect(new Set(mesh.store.keys)).toEqual(blobs);
  });

  it("CE121 however often peers come and go while cell 0 is down, what waits for it stays bounded", async () => {
    const mesh = await started();
    const peer = new CellPeer(mesh, present(keysOfCells(mesh, 1)[2]?.[0]));
    must(await peer.join());
    await mesh.drain();
    mesh.transport.down.add(0);
    for (let round = 0; round < 700; round++) {
      await peer.leave();
      must(await peer.join());
    }
    await mesh.drain();
    expect(mesh.cellOf(2).registry.cellMessages.count(0)).toBeLessThanOrEqual(512);
    mesh.transport.down.delete(0);
    await mesh.settle();
    expect(listed(mesh)).toEqual([peer.id]);
    expect(mesh.cellOf(2).registry.cellMessages.count(0)).toBe(0);
  });

  it.each([
    ["revoke_peer", (peer: CellPeer) => ({ id: peer.id })],
    ["forget_peer", (peer: CellPeer) => ({ id: peer.id })],
  ] as const)(
    "CE122 %s answers when cell 0 has withdrawn the peer, and 504 until then",
    async (name, inputOf) => {
      for (const cell of [0, 1, 3]) {
        const mesh = await started();
        const peers = await joined(mesh);
        const peer = present(peers.find(({ id }) => homeOf(mesh.known, id) === cell));
        mesh.transport.isHeld = true;
        const atAnswer = mesh.call(name, inputOf(peer)).then((answer) => {
          must(answer);
          return listed(mesh);
        });
        await mesh.drain();
        expect(await atAnswer).not.toContain(peer.id);
      }
      const mesh = await started();
      const peers = await joined(mesh);
      const peer = present(peers.find(({ id }) => homeOf(mesh.known, id) === 1));
      mesh.transport.down.add(0);
      expect(await mesh.call(name, inputOf(peer))).toMatchObject({
        error: { code: "revoke_unconfirmed" },
      });
      expect(listed(mesh)).toContain(peer.id);
      mesh.transport.down.delete(0);
      if (name === "revoke_peer") must(await mesh.call(name, inputOf(peer)));
      else await mesh.settle();
      expect(listed(mesh)).not.toContain(peer.id);
    },
  );

  it("CE122 what was reported before a revocation publishes nothing after it, whichever cell reported it", async () => {
    const mesh = await started();
    const [peer] = (await joined(mesh)).slice(1);
    const { key, id } = present(peer);
    const cell = mesh.cellOf(homeOf(mesh.known, id));
    const record = present(mesh.cellOf(0).registry.remotePeers.get(id)?.record);
    must(await mesh.call("revoke_peer", { id }));
    await mesh.drain();
    const late = {
      peerId: id,
      publicKey: key.publicKey,
      session: 1,
      listed: true,
      record,
      dial: null,
    };
    for (const from of [cell.number, 2, 3]) {
      const seq = mesh.cellOf(0).registry.cellMessages.received(from) + 1;
      const messages = [{ seq, message: { type: "peer_connected", peer: late } }] as const;
      await mesh.callBetween(0, `cell:${from}`, [
        { name: "receive_messages", input: { from, messages } },
      ]);
    }
    // The revocation has closed the epoch: the next one opens then, and everything is published under it.
    mesh.now += EPOCH_INTERVAL_MIN;
    await mesh.settle();
    expect(listed(mesh)).toHaveLength(3);
    expect(listed(mesh)).not.toContain(id);
  });

  it("CE123 the mode allowlist withdraws the strangers of all cells before the command returns", async () => {
    const mesh = await started({ ...FOUR, config: { authMode: "open" } });
    const peers = await joined(mesh);
    const [kept] = peers.slice(2);
    const { key, id } = present(kept);
    const entry = { publicKey: key.publicKey, peerId: id, label: "", roles: ["worker"] };
    must(await mesh.call("allow", { ...entry, readmit: false, go_p2p: false } as never));
    await mesh.drain();
    must(await mesh.call("set_auth_mode", { mode: "allowlist" }));
    expect(listed(mesh)).toEqual([id]);
  });

  it("CE124 a member of any cell gets the keys of an epoch that cell 0 opens, and they find the peers of all cells", async () => {
    for (const cell of [0, 1, 2, 3]) {
      const mesh = await started();
      const member = new CellPeer(mesh, present(keysOfCells(mesh, 1)[cell]?.[0]));
      must(await member.join());
      const keys = present(member.admitted?.discovery);
      expect(keys.epochs).toHaveLength(1);
      await mesh.settle(3);
      expect(mesh.cellOf(0).registry.discoveryEpochs.list()).toHaveLength(1);
      expect(await reads(mesh, keys, member.id)).toBe(true);
    }
  });

  it("CE125 a member that is revoked in any cell reads nothing once the command has returned", async () => {
    for (const cell of [0, 1, 2, 3]) {
      const mesh = await started();
      const keys = keysOfCells(mesh, 2)[cell] ?? [];
      const [member, other] = keys.map((key) => new CellPeer(mesh, key));
      must(await present(member).join());
      must(await present(other).join());
      await mesh.settle(3);
      const discovery = present(member?.admitted?.discovery);
      expect(await reads(mesh, discovery, present(other).id)).toBe(true);
      if (cell !== 0) {
        mesh.transport.down.add(0);
        const refused = await mesh.call("revoke_peer", { id: present(member).id });
        expect(refused).toMatchObject({ error: { code: "revoke_unconfirmed" } });
        mesh.transport.down.delete(0);
      }
      must(await mesh.call("revoke_peer", { id: present(member).id }));
      expect(await reads(mesh, discovery, present(other).id)).toBe(false);
      expect(listed(mesh)).not.toContain(present(member).id);
      mesh.now += EPOCH_INTERVAL_MIN;
      await mesh.settle();
      expect(listed(mesh)).toEqual([present(other).id]);
    }
  });

  it("CE125 a member that is away loses its keys with its allowlist entry, once cell 0 has closed the epoch", async () => {
    const mesh = await started({ ...FOUR, ...MEMBERS_ARE_LISTED });
    const peer = new CellPeer(mesh, present(keysOfCells(mesh, 1)[2]?.[0]));
    const { publicKey, id: peerId } = peer.key;
    const entry = { publicKey, peerId, label: "", roles: ["worker" as const] };
    must(await mesh.call("allow", { ...entry, readmit: false, go_p2p: false }));
    must(await peer.join());
    const discovery = present(peer.admitted?.discovery);
    await peer.leave();
    await mesh.settle(3);
    expect(await reads(mesh, discovery, peerId)).toBe(true);
    mesh.transport.down.add(0);
    expect(await mesh.call("disallow", { publicKey })).toMatchObject({
      error: { code: "revoke_unconfirmed" },
    });
    mesh.transport.down.delete(0);
    await mesh.settle(4);
    expect(await reads(mesh, discovery, peerId)).toBe(false);
  });

  it("CE125 the mode allowlist takes the keys from the strangers of all cells before the command returns", async () => {
    for (const cell of [0, 1, 2, 3]) {
      const mesh = await started();
      const peer = new CellPeer(mesh, present(keysOfCells(mesh, 1)[cell]?.[0]));
      must(await peer.join());
      await mesh.settle(3);
      const discovery = present(peer.admitted?.discovery);
      expect(await reads(mesh, discovery, peer.id)).toBe(true);
      must(await mesh.call("set_auth_mode", { mode: "allowlist" }));
      expect(await reads(mesh, discovery, peer.id)).toBe(false);
      expect(listed(mesh)).toEqual([]);
    }
  });

  it("CE126 the sample of an advert in any cell has pointers of the peers of all", async () => {
    const mesh = await started();
    const peers = await joined(mesh);
    for (const peer of peers) {
      const input = { peerId: peer.id, epoch: peer.epoch, peers: [] };
      const { pointers } = must(await peer.send({ name: "hear_advert", input })) as {
        pointers: string[];
      };
      expect(pointers).toHaveLength(3);
    }
    mesh.transport.down.add(0);
    const peer = present(peers[2]);
    const input = { peerId: peer.id, epoch: peer.epoch, peers: [] };
    expect(must(await peer.send({ name: "hear_advert", input }))).toEqual({ pointers: [] });
  });

  const FAULTS = faultsAmong(2);

  it("CE127 once it is quiet, the published peers are the connected ones, however messages are lost, repeated and reordered, and cells crash", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.array(
          fc.tuple(
            fc.constantFrom(
              "join",
              "join",
              "leave",
              "silent",
              "revoke",
              "forget",
              "step",
              "tick",
              "crash",
              "down",
              "up",
            ),
            fc.nat(7),
          ),
          { maxLength: 40 },
        ),
        async (seed, acts) => {
          const mesh = await started({ ...FOUR, seed });
          const peers = keysOfCells(mesh, 2)
            .flat()
            .map((key) => new CellPeer(mesh, key));
          mesh.transport.isHeld = true;
          mesh.transport.faultOf = () => FAULTS[Math.floor(mesh.random() * FAULTS.length)] as Fault;
          for (const [act, n] of acts) {
            const peer = present(peers[n]);
            if (act === "join") void peer.join();
            else if (act === "leave" || act === "silent") void peer.leave(act === "silent");
            else if (act === "revoke") void mesh.call("revoke_peer", { id: peer.id });
            else if (act === "forget") void mesh.call("forget_peer", { id: peer.id });
            else if (act === "step") mesh.transport.step();
            else if (act === "crash") mesh.cellOf(n % 4).crash();
            else if (act === "down") mesh.transport.down.add(n % 4);
            else if (act === "up") mesh.transport.down.delete(n % 4);
            else {
              mesh.now += 5_000;
              for (const cell of mesh.cells) void cell.tick();
            }
            await turn();
            mesh.transport.step();
            await turn();
          }
          mesh.transport.faultOf = () => "none";
          mesh.transport.down.clear();
          mesh.transport.isHeld = false;
          await mesh.drain();
          await mesh.settle(14);
          // A revocation may have closed the epoch before a peer was published: it is under the next one, which has to wait.
          mesh.now += EPOCH_INTERVAL_MIN;
          await mesh.settle(14);
          const connected = peers.filter(({ id }) =>
            ["active", "suspect"].includes(
              mesh.cellOf(homeOf(mesh.known, id)).registry.peers.get(id)?.state ?? "",
            ),
          );
          expect(listed(mesh)).toEqual(idsOf(connected));
          for (const cell of mesh.cells) expect(cell.registry.cellMessages.count(0)).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("discovery while the number of cells changes", () => {
  it("CE128 peers that move stay published, and are withdrawn when they leave from where they are", async () => {
    const mesh = await started({ cells: 1 });
    const peers = Array.from({ length: 12 }, (_, n) => new CellPeer(mesh, testKey(500 + n)));
    for (const peer of peers) must(await peer.join());
    await mesh.settle(3);
    for (const cells of [4, 2, 1, 3]) {
      mesh.setCells(cells);
      await mesh.call("get_auth_mode", {});
      await mesh.settle(4);
      expect(listed(mesh)).toEqual(idsOf(peers));
      const [gone, ...others] = peers;
      await present(gone).leave();
      await mesh.drain();
      expect(listed(mesh)).toEqual(idsOf(others));
      must(await present(gone).join());
      await mesh.settle(8);
      expect(listed(mesh)).toEqual(idsOf(peers));
      peers.push(present(peers.shift()));
    }
  });

  it("CE128 a member that has moved loses the keys that it got in its former cell", async () => {
    for (const [before, after] of [
      [1, 4],
      [4, 1],
      [2, 8],
    ] as const) {
      const mesh = await started({ cells: before });
      const peers = Array.from({ length: 8 }, (_, n) => new CellPeer(mesh, testKey(600 + n)));
      for (const peer of peers) must(await peer.join());
      await mesh.settle(3);
      mesh.setCells(after);
      await mesh.call("get_auth_mode", {});
      await mesh.settle(6);
      await mesh.call("get_auth_mode", {});
      const keys = present(peers[0]?.admitted?.discovery);
      const moved = peers.find(({ id }) => homeOf(mesh.known, id) !== homeBefore(before, id));
      const other = peers.find((peer) => peer !== moved);
      expect(await reads(mesh, keys, present(other).id)).toBe(true);
      must(await mesh.call("revoke_peer", { id: present(moved).id }));
      expect(await reads(mesh, keys, present(other).id)).toBe(false);
      expect(listed(mesh)).not.toContain(present(moved).id);
    }
  });
});

const homeBefore = (cells: number, id: string): number =>
  homeOf(withCells(SINGLE, cells, 0, 1), id);
