import { describe, expect, test } from "vitest";
import { MINUTE, SECOND } from "../../../src/base/clock.ts";
import { KEYS, testKey, TestMesh } from "../mesh.ts";

const [A, B] = KEYS;

const drain = (mesh: TestMesh, pauseMs = 0) =>
  mesh.run("drain_mesh", { before: mesh.now, pauseMs });

const attemptStates = (mesh: TestMesh, id: string): string[] =>
  mesh.task(id).attempts.map(({ state }) => state);

describe("a mesh that drains before a restart", () => {
  test("DR7 a peer keeps what it has begun, and other peers get the rest", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A, { slots: 2, prefetch: true });
    const running = mesh.submit({ kind: "echo", lease_seconds: 5 });
    peer.accept();
    const offered = mesh.submit();
    mesh.advanceClock(1);
    expect(drain(mesh, 20 * SECOND)).toEqual({ ended: 1, remaining: 0 });
    expect(peer.endFault).toMatchObject({ code: "mesh_restarting", retryAfter: 20 });
    expect(peer.view).toMatchObject({ connected: false, tasks: 1 });
    expect(mesh.task(offered.id).state).toBe("queued");
    const other = mesh.join(B, { slots: 2 });
    expect(other.offers.map(({ task_id }) => task_id)).toEqual([offered.id]);

    mesh.restart();
    mesh.runFor(40 * SECOND); // longer than the lease
    peer.join({ slots: 2, held: [{ task_id: running.id, fence: 1 }] });
    mesh.run("finish_task", peer.successInput("done", peer.offers[0]));
    expect(attemptStates(mesh, running.id)).toEqual(["succeeded"]);
    expect(other.offers).toHaveLength(1);
    expect(peer.view).toMatchObject({ failures: 0, successes: 1 });
  });

  test("DR7 what a peer had begun goes elsewhere when the peer returns without it, or does not return", () => {
    const mesh = new TestMesh();
    const peers = [mesh.join(A), mesh.join(B)];
    const tasks = [mesh.submit(), mesh.submit()];
    for (const peer of peers) peer.accept();
    mesh.advanceClock(1);
    drain(mesh);
    peers[0]?.join({ held: [] });
    mesh.runFor(5 * MINUTE);
    for (const { id } of tasks) expect(attemptStates(mesh, id)[0]).toBe("lost");
    expect(peers[0]?.offers).toHaveLength(2);
  });

  test("DR7 ends the sessions part by part, and spares those that began since", () => {
    const mesh = new TestMesh();
    const peers = Array.from({ length: 300 }, (_, n) => mesh.join(testKey(n)));
    mesh.advanceClock(1);
    const before = mesh.now;
    expect(mesh.run("drain_mesh", { before, pauseMs: 0 })).toEqual({ ended: 250, remaining: 50 });
    peers.find(({ endFault }) => endFault !== null)?.join();
    expect(mesh.run("drain_mesh", { before, pauseMs: 0 })).toEqual({ ended: 50, remaining: 0 });
    expect(mesh.registry.roster.size).toBe(1);
  });

  test("DR7 a drain of a peer goes on when it returns", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const { id } = mesh.submit();
    peer.accept();
    mesh.run("schedule_peer", { id: peer.id, action: "drain", timeoutMs: 10 * MINUTE });
    mesh.advanceClock(1);
    drain(mesh);
    peer.join({ held: [{ task_id: id, fence: 1 }] });
    expect(peer.view).toMatchObject({ scheduling: "draining", tasks: 1 });
  });
});
