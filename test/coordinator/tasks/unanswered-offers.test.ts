import { describe, expect, test } from "vitest";
import { OFFERS_OUTSTANDING_MAX } from "../../../src/protocol/constants.ts";
import { present } from "../../must.ts";
import { KEYS, submission, TestMesh } from "../mesh.ts";

const [A, B] = KEYS;

function withTasks(mesh: TestMesh, count: number): void {
  for (let left = count; left > 0; left -= 100) {
    const tasks = Array.from(
      { length: Math.min(100, left) },
      () => submission({ kind: "echo" }).task,
    );
    mesh.run("submit_batch", { tasks, source: "api", owner: "admin", idempotency: null });
  }
}

describe("offers that a peer has not answered", () => {
  test("AS60 are at most 64, however many slots are free: each answer brings the next offer", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A, { slots: 256 }).earn(256);
    withTasks(mesh, 300);
    expect(peer.offers).toHaveLength(OFFERS_OUTSTANDING_MAX);
    for (const offer of peer.offers.slice(0, 10)) mesh.run("accept_task", peer.attempt(offer));
    expect(peer.offers).toHaveLength(OFFERS_OUTSTANDING_MAX + 10);
    const { offer: refused } = peer;
    peer.refuse();
    expect(peer.offers).toHaveLength(OFFERS_OUTSTANDING_MAX + 11);
    for (let n = 10; n < peer.offers.length; n++) {
      const offer = present(peer.offers[n]);
      if (offer !== refused) mesh.run("accept_task", peer.attempt(offer));
    }
    expect(mesh.registry.peers.get(A.id)?.held).toBe(256);
  });

  test("AS60 of one peer hold up no other peer, also after a wake", () => {
    const mesh = new TestMesh();
    const silent = mesh.join(A, { slots: 256 }).earn(256);
    withTasks(mesh, 100);
    expect(silent.offers).toHaveLength(OFFERS_OUTSTANDING_MAX);
    mesh.restart();
    const other = mesh.join(B, { slots: 4 });
    expect(other.offers).toHaveLength(4);
    for (let answered = 0; answered < other.offers.length; answered++) {
      const offer = other.offers[answered];
      mesh.run("accept_task", other.attempt(offer));
      mesh.run("finish_task", other.successInput("done", offer));
    }
    expect(silent.offers).toHaveLength(OFFERS_OUTSTANDING_MAX);
    expect(other.offers).toHaveLength(100 - OFFERS_OUTSTANDING_MAX);
  });

  test("AS60 that were not accepted in time go to another peer", () => {
    const mesh = new TestMesh();
    mesh.join(A, { slots: 256 }).earn(256);
    withTasks(mesh, OFFERS_OUTSTANDING_MAX);
    const other = mesh.join(B, { slots: 256 }).earn(256);
    mesh.runFor(6_000);
    expect(other.offers).toHaveLength(OFFERS_OUTSTANDING_MAX);
  });
});
