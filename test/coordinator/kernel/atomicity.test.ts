import { describe, expect, test } from "vitest";
import type { Sql } from "../../../src/registry/sql.ts";
import { nodeSql } from "../../node-sql.ts";
import { KEYS, submission, TestMesh, type TestPeer } from "../mesh.ts";

const [A, B] = KEYS;

/** A database that fails from the given number of statements on, counted from the call of `failAfter`. */
function failingSql(): { sql: Sql; failAfter: (statement: number) => void } {
  const database = nodeSql();
  let left = Number.POSITIVE_INFINITY;
  const sql: Sql = {
    ...database,
    exec(query, ...bindings) {
      if (--left < 0) throw new Error("the disk is full");
      return database.exec(query, ...bindings);
    },
  };
  return { sql, failAfter: (statement) => (left = statement) };
}

type RunCommand = (mesh: TestMesh, peer: TestPeer) => unknown;

const COMMANDS: Readonly<Record<string, RunCommand>> = {
  "admitting a peer": (mesh, peer) => mesh.execute("admit", peer.admitInput()),
  "a disconnect": (mesh) =>
    mesh.execute("gone", { peerId: A.id, epoch: 1, reason: "closed", silent: false }),
  "submitting a task": (mesh) => mesh.execute("submit_task", submission({ kind: "echo" })),
  "a result": (mesh, peer) => mesh.execute("finish_task", peer.successInput("done")),
  "a failure": (mesh, peer) => mesh.execute("finish_task", peer.failureInput("broken")),
  "a refusal": (mesh, peer) =>
    mesh.execute("refuse_task", { ...peer.attempt(), reason: "no room" }),
  "a cancellation": (mesh, peer) =>
    mesh.execute("cancel_task", { id: peer.offer.task_id, visibleTo: null }),
  "a revocation": (mesh) => mesh.execute("revoke_peer", { id: A.id }),
  "forgetting a peer": (mesh) => mesh.execute("forget_peer", { id: A.id }),
  "changing to allowlist mode": (mesh) => mesh.execute("set_auth_mode", { mode: "allowlist" }),
  "a tick": (mesh) => {
    mesh.advanceClock(10_000);
    return mesh.execute("tick", {});
  },
};

describe("a command whose database fails in the middle", () => {
  test.for(Object.entries(COMMANDS))(
    "LV7 a command whose database fails in the middle changes nothing: %s",
    ([, act]) => {
      let failures = 0;
      for (let statement = 0; ; statement++) {
        const { sql, failAfter } = failingSql();
        const mesh = new TestMesh({ sql });
        const peer = mesh.join(A);
        mesh.submit({ kind: "echo", deadline_seconds: 60 });
        mesh.submit({ kind: "echo", deadline_seconds: 9 });
        mesh.join(B, { rttMs: 500, capabilities: ["gpu"] });
        const before = mesh.contents();
        failAfter(statement);
        try {
          act(mesh, peer);
          break; // the command needs no more statements than these
        } catch (thrown) {
          expect(thrown).toEqual(new Error("the disk is full"));
        }
        failAfter(Number.POSITIVE_INFINITY);
        expect(mesh.contents()).toBe(before);
        failures++;
      }
      expect(failures).toBeGreaterThan(1);
    },
  );
});
