import { describe, expect, it } from "vitest";
import { homeOf } from "../../src/cells/topology.ts";
import { QUEUE_MAX } from "../../src/protocol/constants.ts";
import type { Output } from "../../src/contract/commands.ts";
import { submission } from "../coordinator/submission.ts";
import { testKey } from "../coordinator/keys.ts";
import { CellMesh } from "./cell-mesh.ts";
import { CellPeer } from "./cell-peer.ts";

/** A mesh that begins with one cell, and its peers, each of which has completed a task. */
async function workedMesh(peers: number, cells = 1) {
  const mesh = new CellMesh({ cells, config: { authMode: "allowlist" } });
  const all: CellPeer[] = [];
  for (let n = 0; n < peers; n++) {
    const peer = new CellPeer(mesh, 1_000 + n);
    const { publicKey, id: peerId } = peer.key;
    const allow = { publicKey, peerId, label: `peer ${n}`, roles: ["worker" as const] };
    const allowed = await mesh.call("allow", { ...allow, readmit: false, go_p2p: false });
    expect(allowed).toMatchObject({ ok: true });
    expect(await peer.join()).toMatchObject({ ok: true });
    all.push(peer);
  }
  for (const peer of all) {
    const requirements = { peer_id: peer.id };
    const made = await mesh.call(
      "submit_task",
      submission({ kind: "resize", payload: 1, requirements }),
    );
    expect(made).toMatchObject({ ok: true });
    await mesh.drain();
    await peer.work();
  }
  return { mesh, peers: all };
}

const view = async (mesh: CellMesh, id: string) => {
  const answer = await mesh.call("get_peer", { id });
  if (!answer.ok) throw new Error(JSON.stringify(answer.error));
  return answer.value;
};

const home = (mesh: CellMesh, id: string): number =>
  homeOf(mesh.cellOf(0).registry.cells.topology, id);

/** The cells that have a record of a peer. */
const holders = (mesh: CellMesh, id: string): number[] =>
  mesh.cells.flatMap(({ number, registry }) => (registry.peers.get(id) === null ? [] : [number]));

describe("growing a mesh", () => {
  it("CE107 CE101 moves every peer to its home with its record, allowlist entry and history, without a reconnect", async () => {
    const { mesh, peers } = await workedMesh(12);
    const before = await Promise.all(peers.map(({ id }) => view(mesh, id)));
    mesh.setCells(4);
    await mesh.settle();
    for (const [index, peer] of peers.entries()) {
      expect(holders(mesh, peer.id)).toEqual([home(mesh, peer.id)]);
      const after = await view(mesh, peer.id);
      const { successes, failures, connected, name, state } = before[index] as typeof after;
      expect(after).toMatchObject({ successes, failures, connected, name, state });
      expect(after.successes).toBe(1);
      // Its session goes on.
      expect(await peer.observe()).toMatchObject({ ok: true, value: { suspect: false } });
      expect(peer.inbox.endFault).toBeNull();
    }
    expect(new Set(peers.map(({ id }) => holders(mesh, id)[0])).size).toBeGreaterThan(1);
    for (const { registry } of mesh.cells) {
      expect(registry.peerMoves.countDeparted()).toBe(0);
      expect(registry.peerMoves.pulls().every(({ isDone }) => isDone)).toBe(true);
    }
  });

  it("CE101 a peer that reconnects before it was fetched brings its history", async () => {
    const { mesh, peers } = await workedMesh(8);
    for (const peer of peers) await peer.leave();
    mesh.transport.faultOf = (_, names) =>
      names[0] === "receive_messages" ? "request_lost" : "none";
    mesh.setCells(4);
    for (const peer of peers) {
      expect(await peer.join()).toMatchObject({ ok: true });
      expect(await view(mesh, peer.id)).toMatchObject({ successes: 1, connected: true });
      expect(holders(mesh, peer.id)).toEqual([home(mesh, peer.id)]);
    }
  });

  it("CE102 a peer that holds a task finishes it where it is, and moves then", async () => {
    const { mesh, peers } = await workedMesh(8);
    const held = new Map<CellPeer, { taskId: string; fence: number }>();
    for (const peer of peers) {
      const requirements = { peer_id: peer.id };
      await mesh.call("submit_task", submission({ kind: "resize", payload: 1, requirements }));
      await mesh.drain();
      const offer = peer.inbox.offers.pop();
      if (offer === undefined) throw new Error("no offer");
      held.set(peer, { taskId: offer.task_id, fence: offer.fence });
      await peer.accept(offer.task_id, offer.fence);
    }
    mesh.setCells(4);
    await mesh.settle(3);
    for (const [peer, { taskId, fence }] of held) {
      expect(holders(mesh, peer.id)).toEqual([0]);
      expect(await peer.finish(taskId, fence)).toMatchObject({ ok: true });
      const task = await mesh.call("get_task", { id: taskId, visibleTo: null });
      expect(task).toMatchObject({ ok: true, value: { state: "succeeded" } });
    }
    await mesh.settle(4);
    for (const peer of peers) {
      expect(holders(mesh, peer.id)).toEqual([home(mesh, peer.id)]);
      expect(await view(mesh, peer.id)).toMatchObject({ successes: 2, scheduling: "open" });
    }
  });

  it("CE104 a revocation reaches a peer that has not moved, and bars it at its new home", async () => {
    const { mesh, peers } = await workedMesh(8);
    // Cell 0 confirms that it publishes the peer no more (CE122). No other cell takes a message.
    mesh.transport.faultOf = (to, names) =>
      to !== 0 && names[0] === "receive_messages" ? "request_lost" : "none";
    mesh.setCells(4);
    for (const peer of peers) {
      const revoked = await mesh.call("revoke_peer", { id: peer.id });
      expect(revoked).toMatchObject({ ok: true, value: { known: true, state: "revoked" } });
      expect(peer.inbox.endFault).toMatchObject({ code: "revoked" });
      expect(await peer.join()).toMatchObject({ ok: false, error: { code: "revoked" } });
    }
  });

  it("CE104 a revocation while the former home is down bars the key at once, and ends the session later", async () => {
    const { mesh, peers } = await workedMesh(8);
    mesh.transport.faultOf = (_, names) => (names[0] === "hand_over" ? "request_lost" : "none");
    mesh.setCells(4);
    await mesh.call("get_auth_mode", {});
    await mesh.drain();
    mesh.transport.down.add(0);
    const moved = peers.filter(({ id }) => home(mesh, id) !== 0);
    for (const peer of moved) {
      const revoked = await mesh.call("revoke_peer", { id: peer.id });
      expect(revoked).toMatchObject({ ok: false, error: { code: "revoke_unconfirmed" } });
      expect((await peer.join()).ok).toBe(false);
    }
    mesh.transport.down.delete(0);
    mesh.transport.faultOf = () => "none";
    await mesh.settle();
    for (const peer of moved) {
      expect(peer.inbox.endFault).toMatchObject({ code: "revoked" });
      expect(await view(mesh, peer.id)).toMatchObject({ state: "revoked", successes: 1 });
      expect(await peer.join()).toMatchObject({ ok: false, error: { code: "revoked" } });
    }
  });

  it("CE104 a revocation that reaches a cell after the peer has left it bars nobody who is readmitted later", async () => {
    const { mesh, peers } = await workedMesh(8);
    // The peers leave cell 0, and nobody hears of it. It takes no message.
    mesh.transport.faultOf = (to, names) => {
      if (to === 0 && names[0] === "receive_messages") return "request_lost";
      return names[0] === "hand_over" ? "answer_lost" : "none";
    };
    mesh.setCells(4);
    await mesh.call("get_auth_mode", {});
    await mesh.drain();
    const moved = peers.filter(({ id }) => home(mesh, id) !== 0);
    for (const { id } of moved) await mesh.call("revoke_peer", { id });
    mesh.transport.faultOf = () => "none";
    await mesh.settle();
    for (const { id, key } of moved) {
      expect(mesh.cellOf(0).registry.denylist.has(id)).toBe(false);
      const entry = { publicKey: key.publicKey, peerId: id, label: "", roles: ["worker" as const] };
      const readmitted = await mesh.call("allow", { ...entry, readmit: true, go_p2p: false });
      expect(readmitted).toMatchObject({ ok: true });
    }
    mesh.setCells(1);
    await mesh.settle();
    for (const peer of moved) expect(await peer.join()).toMatchObject({ ok: true });
  });

  it("CE103 while the former home of a peer does not answer, the peer is not admitted, and others are", async () => {
    const { mesh, peers } = await workedMesh(8);
    for (const peer of peers) await peer.leave();
    mesh.transport.faultOf = (_, names) => (names[0] === "hand_over" ? "request_lost" : "none");
    mesh.setCells(4);
    await mesh.call("get_auth_mode", {});
    for (const peer of peers) {
      const joined = await peer.join();
      if (home(mesh, peer.id) === 0) expect(joined).toMatchObject({ ok: true });
      else expect(joined).toMatchObject({ ok: false, error: { code: "unavailable" } });
    }
  });

  it("CE101 a peer that left for a cell which is not its home any more, and never arrived there, gets to its new home", async () => {
    const { mesh, peers } = await workedMesh(24, 4);
    mesh.transport.faultOf = (_, names) => (names[0] === "hand_over" ? "answer_lost" : "none");
    mesh.setCells(2);
    await mesh.settle(2);
    const departed = peers.filter(
      ({ id }) => mesh.cellOf(3).registry.peerMoves.departed(id) !== null,
    );
    // Cell 2 has fetched all that the other cells have for it before cell 3 answers.
    mesh.transport.faultOf = () => "none";
    mesh.transport.down.add(3);
    mesh.setCells(3);
    await mesh.settle(3);
    expect(departed.some(({ id }) => home(mesh, id) === 2)).toBe(true);
    mesh.transport.down.clear();
    await mesh.settle();
    for (const { id } of peers) {
      expect(holders(mesh, id)).toEqual([home(mesh, id)]);
      expect(await view(mesh, id)).toMatchObject({ successes: 1 });
    }
  });

  it("CE101 a peer that would not be admitted any more when it arrives is disconnected", async () => {
    const { mesh, peers } = await workedMesh(8);
    mesh.transport.faultOf = (_, names) => (names[0] === "hand_over" ? "answer_lost" : "none");
    mesh.setCells(4);
    await mesh.call("get_auth_mode", {});
    await mesh.drain();
    const moved = peers.filter(({ id }) => mesh.cellOf(0).registry.peerMoves.departed(id) !== null);
    expect(moved.length).toBeGreaterThan(0);
    // Nobody lists them, as in an open mesh that becomes an allowlist while they are under way.
    for (const { id } of moved) {
      const departed = mesh.cellOf(0).registry.peerMoves.departed(id);
      if (departed === null) continue;
      mesh.cellOf(0).registry.peerMoves.depart({
        ...departed,
        rows: { ...departed.rows, allowlist: [] },
      });
    }
    mesh.transport.faultOf = () => "none";
    await mesh.settle();
    for (const peer of moved) {
      expect(peer.inbox.endFault).toMatchObject({ code: "not_allowed" });
      expect(await view(mesh, peer.id)).toMatchObject({ connected: false, successes: 1 });
    }
  });

  it("CE101 what was taken once is not taken again, so nothing comes back that was removed since", async () => {
    const { mesh, peers } = await workedMesh(8);
    // Cell 0 is not told that the others have its peers.
    mesh.transport.faultOf = (to, names) =>
      to === 0 && names[0] === "receive_messages" ? "request_lost" : "none";
    mesh.setCells(4);
    await mesh.settle(3);
    const moved = peers.filter(({ id }) => home(mesh, id) !== 0);
    for (const { id, key } of moved) {
      expect(holders(mesh, id)).toEqual([home(mesh, id)]);
      // Cell 0 does not confirm that it has withdrawn the pointers.
      await mesh.call("disallow", { publicKey: key.publicKey });
      await mesh.call("forget_peer", { id });
      expect(holders(mesh, id)).toEqual([]);
    }
    // What the cells remember is lost: they ask again.
    for (const cell of mesh.cells) cell.crash();
    for (const { registry } of mesh.cells)
      for (const pull of registry.peerMoves.pulls())
        registry.peerMoves.setPull({ ...pull, isDone: false });
    expect(mesh.cellOf(0).registry.peerMoves.countDeparted()).toBe(moved.length);
    await mesh.settle(2);
    for (const peer of moved) {
      expect(await mesh.call("get_peer", { id: peer.id })).toMatchObject({
        error: { code: "not_found" },
      });
      expect((await peer.join()).ok).toBe(false);
    }
    mesh.transport.faultOf = () => "none";
    await mesh.settle(4);
    expect(mesh.cellOf(0).registry.peerMoves.countDeparted()).toBe(0);
    for (const { id } of moved) expect(holders(mesh, id)).toEqual([]);
  });

  it("CE106 a cell that was asked about a key accepts nothing under it from a caller who knows an older topology", async () => {
    const mesh = new CellMesh({ cells: 4 });
    await mesh.call("get_auth_mode", {});
    await mesh.settle(2);
    const older = mesh.known;
    const lost = ["receive_messages", "hand_over"];
    mesh.transport.faultOf = (_, [name = ""]) => (lost.includes(name) ? "request_lost" : "none");
    mesh.setCells(7);
    await mesh.call("get_auth_mode", {});
    const newer = mesh.cellOf(0).registry.cells.topology;
    for (let n = 0; n < 24; n++) {
      const idempotency = { scope: "admin", key: `key ${n}` };
      const ids = [];
      for (const known of [newer, older]) {
        mesh.known = known;
        const task = submission({ kind: "a", payload: n }, { idempotency });
        const made = await mesh.call("submit_task", task);
        ids.push(made.ok ? made.value.task.id : made.error.code);
      }
      expect(ids[1]).toBe(ids[0]);
    }
  });

  it("CE106 a submission that is repeated after the change answers with its first task", async () => {
    const mesh = new CellMesh({ cells: 1 });
    const made = new Map<string, string>();
    const submit = (key: string, payload = 1) =>
      mesh.call(
        "submit_task",
        submission({ kind: "a", payload }, { idempotency: { scope: "admin", key } }),
      );
    for (let n = 0; n < 16; n++) {
      const answer = await submit(`key ${n}`);
      made.set(`key ${n}`, answer.ok ? answer.value.task.id : "");
    }
    mesh.setCells(4);
    for (const [key, id] of made) {
      expect(await submit(key)).toMatchObject({
        ok: true,
        value: { duplicate: true, task: { id } },
      });
      expect(await submit(key, 2)).toMatchObject({
        ok: false,
        error: { code: "idempotency_mismatch" },
      });
    }
    mesh.setCells(7);
    await mesh.settle(2);
    for (const [key, id] of made)
      expect(await submit(key)).toMatchObject({
        ok: true,
        value: { duplicate: true, task: { id } },
      });
  });

  it("CE105 a peer that rotates its key to one of another cell is found by both IDs, and moves with its history", async () => {
    const { mesh, peers } = await workedMesh(4, 4);
    for (const [index, peer] of peers.entries()) {
      const next = testKey(5_000 + index);
      const input = { ...peer.of, newPeerId: next.id, newPublicKey: next.publicKey };
      expect(await mesh.session({ name: "rotate_peer", input })).toMatchObject([{ ok: true }]);
      const renamed = new CellPeer(mesh, 5_000 + index);
      expect(await renamed.join()).toMatchObject({ ok: true });
      expect(holders(mesh, next.id)).toEqual([home(mesh, next.id)]);
      for (const id of [peer.id, next.id])
        expect(await view(mesh, id)).toMatchObject({ id: next.id, successes: 1, connected: true });
      expect((await peer.join()).ok).toBe(false);
      const revoked = await mesh.call("revoke_peer", { id: peer.id });
      expect(revoked).toMatchObject({ ok: true, value: { id: next.id, rotated_from: peer.id } });
      expect((await renamed.join()).ok).toBe(false);
    }
  });
});

describe("draining cells", () => {
  it("CE108 gives their peers away; a cell is removed once nothing is left, and may become active again", async () => {
    const { mesh, peers } = await workedMesh(12, 4);
    await mesh.settle(2);
    mesh.setCells(2);
    await mesh.settle(6);
    for (const peer of peers) {
      expect(holders(mesh, peer.id)).toEqual([home(mesh, peer.id)]);
      expect(await peer.observe()).toMatchObject({ ok: true });
    }
    const { topology } = mesh.cellOf(0).registry.cells;
    expect(topology.cells.slice(0, 2)).toEqual(["active", "active"]);
    // CE46: the queue of a draining cell is not counted.
    const stats = await mesh.call("task_stats", { visibleTo: null });
    expect(stats).toMatchObject({ ok: true, value: { queue_max: 2 * QUEUE_MAX } });
    // Ended tasks are kept until their retention is over.
    const kept = mesh.cells.map(({ registry }) => registry.leftInCell().endedTasks);
    const shown = await mesh.call("list_cells", {});
    const left = shown.ok ? shown.value.cells.map(({ figures }) => figures?.left) : [];
    expect(left.slice(0, 2)).toEqual([undefined, undefined]);
    for (const cell of [2, 3]) {
      const isKept = (kept[cell] ?? 0) > 0;
      expect(topology.cells[cell]).toBe(isKept ? "draining" : "removed");
      // CE166: what the operator sees is what the cell waits for.
      const nothing = { peers: 0, open_tasks: 0, uploads: 0, deliveries: 0, audit: 0, messages: 0 };
      if (isKept) expect(left[cell]).toMatchObject({ ...nothing, ended_tasks: kept[cell] });
      else expect(left[cell]).toBeUndefined();
    }
    expect(kept[2]).toBeGreaterThan(0);
    mesh.now += 40 * 24 * 3_600_000;
    await mesh.settle(6);
    expect(mesh.cellOf(0).registry.cells.topology.cells).toEqual([
      "active",
      "active",
      "removed",
      "removed",
    ]);
    mesh.setCells(4);
    await mesh.settle(4);
    for (const peer of peers)
      expect(
        ((await mesh.call("get_peer", { id: peer.id })) as { value?: Output<"get_peer"> }).value
          ?.successes ?? 1,
      ).toBe(1);
  });
});
