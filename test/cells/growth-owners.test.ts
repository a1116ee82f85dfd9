import { describe, expect, it } from "vitest";
import type { CommandAnswer } from "../../src/contract/commands.ts";
import { testKey } from "../coordinator/keys.ts";
import { CellMesh } from "./cell-mesh.ts";
import { CellPeer } from "./cell-peer.ts";

/** A mesh of one cell with controllers, each of which has submitted two tasks, and becomes one of four. */
async function grownMesh() {
  const mesh = new CellMesh({ cells: 1, config: { authMode: "allowlist" } });
  const peers = Array.from({ length: 6 }, (_, n) => new CellPeer(mesh, 3_000 + n));
  const tasks = new Map<CellPeer, readonly string[]>();
  for (const peer of peers) {
    const { publicKey, id: peerId } = peer.key;
    const allow = { publicKey, peerId, label: "c", roles: ["controller" as const] };
    await mesh.call("allow", { ...allow, readmit: false, go_p2p: false });
    expect(await peer.join(4, "controller")).toMatchObject({ ok: true });
    tasks.set(peer, [idOf(await peer.assign("1", "a")), idOf(await peer.assign("2", "b"))]);
  }
  mesh.setCells(4);
  await mesh.settle(4);
  return { mesh, peers, tasks };
}

const idOf = (answer: CommandAnswer): string =>
  answer.ok ? (answer.value as { task: { id: string } }).task.id : JSON.stringify(answer.error);

describe("tasks that a peer submitted before it moved", () => {
  it("CE109 CE106 are answered under their keys, found by their IDs, and may be recalled", async () => {
    const { peers, tasks } = await grownMesh();
    for (const peer of peers) {
      const [first = "", second = ""] = tasks.get(peer) ?? [];
      expect(idOf(await peer.assign("1", "a"))).toBe(first);
      expect(await peer.assign("other", "a")).toMatchObject({
        error: { code: "idempotency_mismatch" },
      });
      expect(idOf(await peer.about("query_task", second))).toBe(second);
      expect(await peer.about("recall_task", second)).toMatchObject({
        value: { task: { id: second, state: "cancelled" } },
      });
    }
  });

  it("CE109 CE104 are cancelled when its key is revoked", async () => {
    const { mesh, peers, tasks } = await grownMesh();
    for (const peer of peers) {
      expect(await mesh.call("revoke_peer", { id: peer.id })).toMatchObject({ ok: true });
      for (const id of tasks.get(peer) ?? [])
        expect(await mesh.call("get_task", { id, visibleTo: null })).toMatchObject({
          value: { state: "cancelled" },
        });
      expect(mesh.cellOf(0).registry.endedOwners.isEnded({ owner: peer.id, source: "peer" })).toBe(
        true,
      );
      expect(await mesh.call("lift_denial", { id: peer.id })).toMatchObject({ ok: true });
      await mesh.settle(1);
      expect(mesh.cellOf(0).registry.endedOwners.isEnded({ owner: peer.id, source: "peer" })).toBe(
        false,
      );
    }
  });

  it("CE109 CE105 belong to its new key once it has rotated", async () => {
    const { mesh, peers, tasks } = await grownMesh();
    for (const [index, peer] of peers.entries()) {
      const next = testKey(6_000 + index);
      const input = { ...peer.of, newPeerId: next.id, newPublicKey: next.publicKey };
      expect(await mesh.session({ name: "rotate_peer", input })).toMatchObject([{ ok: true }]);
      await mesh.settle(2);
      const renamed = new CellPeer(mesh, 6_000 + index);
      expect(await renamed.join(4, "controller")).toMatchObject({ ok: true });
      const [first = "", second = ""] = tasks.get(peer) ?? [];
      expect(idOf(await renamed.assign("1", "a"))).toBe(first);
      expect(idOf(await renamed.about("query_task", second))).toBe(second);
    }
  });
});
