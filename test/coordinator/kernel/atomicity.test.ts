import { describe, expect, test } from "vitest";
import type { Sql } from "../../../src/registry/sql.ts";
import { nodeSql } from "../../node-sql.ts";
import { KEYS, submission, TestMesh, type TestPeer } from "../mesh.ts";

const [A, B] = KEYS;

/** A database that breaks at its n-th statement from when it is told to. */
function failingSql(): { sql: Sql; breakAt: (statement: number) => void } {
  const sound = nodeSql();
  let left = Number.POSITIVE_INFINITY;
  const sql: Sql = {
    ...sound,
    exec(query, ...bindings) {
      if (--left < 0) throw new Error("the disk is full");
      return sound.exec(query, ...bindings);
    },
  };
  return { sql, breakAt: (statement) => (left = statement) };
}

type RunCommand = (mesh: TestMesh, peer: TestPeer) => unknown;

const COMMANDS: Readonly<Record<string, RunCommand>> = {
  "letting a peer in": (mesh, peer) => mesh.execute("admit", peer.admitInput()),
  "a peer's end": (mesh) =>
    mesh.execute("gone", { peerId: A.id, epoch: 1, reason: "closed", silent: false }),
  "taking a task": (mesh) => mesh.execute("submit_task", submission({ kind: "echo" })),
  "a result": (mesh, peer) => mesh.execute("finish_task", peer.successInput("done")),
  "a failure": (mesh, peer) => mesh.execute("finish_task", peer.failureInput("broken")),
  "a refusal": (mesh, peer) =>
    mesh.execute("refuse_task", { ...peer.attempt(), reason: "no room" }),
  "a cancellation": (mesh, peer) =>
    mesh.execute("cancel_task", { id: peer.offer.task_id, visibleTo: null }),
  "a revocation": (mesh) => mesh.execute("revoke_peer", { id: A.id }),
  "forgetting a peer": (mesh) => mesh.execute("forget_peer", { id: A.id }),
  "tightening the mode": (mesh) => mesh.execute("set_auth_mode", { mode: "allowlist" }),
  "a tick": (mesh) => {
    mesh.advanceClock(10_000);
    return mesh.execute("tick", {});
  },
};

describe("a command whose database fails in the middle", () => {
  test.for(Object.entries(COMMANDS))(
    "LV7 a command whose database fails in the middle changes nothing: %s",
    ([, act]) => {
      let broken = 0;
      for (let statement = 0; ; statement++) {
        const { sql, breakAt } = failingSql();
        const mesh = new TestMesh({ sql });
        const peer = mesh.join(A);
        mesh.submit({ kind: "echo", deadline_seconds: 60 });
        mesh.submit({ kind: "echo", deadline_seconds: 9 });
        mesh.join(B, { rttMs: 500, capabilities: ["gpu"] });
        const before = mesh.contents();
        breakAt(statement);
        try {
          act(mesh, peer);
          break; // it needed no more statements than these
        } catch (thrown) {
          expect(thrown).toEqual(new Error("the disk is full"));
        }
        breakAt(Number.POSITIVE_INFINITY);
        expect(mesh.contents()).toBe(before);
        broken++;
      }
      expect(broken).toBeGreaterThan(3);
    },
  );
});
