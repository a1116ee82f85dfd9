import { describe, expect, test } from "vitest";
import { MINUTE, SECOND } from "../../../src/base/clock.ts";
import type { Input } from "../../../src/contract/commands.ts";
import { nothingObserved } from "../../../src/scoring/observed.ts";
import { noOutcomes, outcomesAt } from "../../../src/scoring/outcomes.ts";
import { must } from "../../must.ts";
import { KEYS, TestMesh, type TestPeer } from "../mesh.ts";

const [A, B, C] = KEYS;

type Action = Pick<Input<"schedule_peer">, "action">["action"];

const schedule = (peer: TestPeer, action: Action, timeoutMs = 10 * MINUTE): void =>
  void peer.mesh.run("schedule_peer", { id: peer.id, action, timeoutMs });

const release = (peer: TestPeer, begun: boolean, offer = peer.offer): void =>
  void peer.mesh.run("release_task", { ...peer.attempt(offer), reason: "it leaves", begun });

const attemptsOf = (mesh: TestMesh, id: string) =>
  mesh.task(id).attempts.map(({ state, peer_id }) => [state, peer_id]);

/** A peer with one slot, one started task and one prefetched task. */
function busyPeer() {
  const mesh = new TestMesh();
  const peer = mesh.join(A, { prefetch: true });
  const begun = mesh.submit();
  peer.accept();
  const prefetched = mesh.submit();
  peer.accept(true);
  return { mesh, peer, begun, prefetched };
}

describe("a cordoned peer", () => {
  test("DR1 gets no new task until it is uncordoned, and keeps what it runs", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A, { slots: 2 });
    const running = mesh.submit();
    peer.accept();
    schedule(peer, "cordon");
    expect(peer.view).toMatchObject({ scheduling: "cordoned", scheduled_by: "operator" });
    const waiting = mesh.submit();
    expect(mesh.task(waiting.id).state).toBe("queued");
    peer.mesh.run("finish_task", peer.successInput("done"));
    expect(mesh.task(running.id).state).toBe("succeeded");
    schedule(peer, "uncordon");
    expect(peer.view).toMatchObject({ scheduling: "open", scheduled_by: null });
    expect(peer.offer.task_id).toBe(waiting.id);
  });

  test("DR1 a cordon outlasts reconnects and a restart of the mesh, and the explanation of a waiting task names it", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    schedule(peer, "cordon");
    peer.leave();
    mesh.restart();
    peer.join();
    const { id } = mesh.submit();
    expect(peer.offers).toEqual([]);
    const why = must(mesh.read("why_task", { id, visibleTo: null }));
    expect(why.excluded).toMatchObject([{ peer_id: peer.id, rule: "cordoned" }]);
    expect(why.waits_because).toContain("1 cordoned or draining");
  });

  test("DR1 a selection concerns the peers that meet all of its conditions; a dry run changes nothing", () => {
    const mesh = new TestMesh();
    const gpu = mesh.join(A, { capabilities: ["gpu"], kinds: ["render"], name: "a" });
    const other = mesh.join(B, { capabilities: ["gpu"], kinds: ["resize"], name: "b" });
    mesh.join(C, { kinds: ["render"], name: "c" });
    const select = { capabilities: ["gpu"], kind: "render" };
    const input = { action: "cordon", select } as const;
    const planned = mesh.run("schedule_peers", { ...input, dryRun: true });
    expect(planned.peers.map(({ id }) => id)).toEqual([gpu.id]);
    expect(gpu.view.scheduling).toBe("open");
    const done = mesh.run("schedule_peers", { ...input, dryRun: false });
    expect(done).toMatchObject({ peers: [{ id: gpu.id, scheduling: "cordoned" }] });
    expect(done.next_cursor).toBeNull();
    expect(other.view.scheduling).toBe("open");
    // Peers that are cordoned already are not concerned.
    expect(mesh.run("schedule_peers", { ...input, dryRun: false }).peers).toEqual([]);
    const [entry] = must(mesh.read("list_audit", { limit: 1 })).entries;
    expect(entry).toMatchObject({ act: "schedule_peers", detail: { action: "cordon", peers: 0 } });
  });
});

describe("an operator's drain", () => {
  test("DR2 ends the peer's session when it has given back what it has not begun and finished the rest", () => {
    const { mesh, peer, begun, prefetched } = busyPeer();
    schedule(peer, "drain");
    expect(peer.view).toMatchObject({ scheduling: "draining", connected: true });
    expect(mesh.effectsOfType("drain").at(-1)).toMatchObject({
      to: { peerId: peer.id },
      order: { timeoutMs: 10 * MINUTE },
    });
    release(peer, false);
    expect(attemptsOf(mesh, prefetched.id)).toEqual([["reclaimed", peer.id]]);
    expect(mesh.task(prefetched.id).state).toBe("queued");
    mesh.run("finish_task", peer.successInput("done", peer.offers[0]));
    expect(mesh.task(begun.id).state).toBe("succeeded");
    mesh.runFor(5 * SECOND);
    expect([peer.endFault?.code, peer.view.connected]).toEqual(["drained", false]);
    expect(peer.view.scheduling).toBe("cordoned");
  });

  test("DR2 leaves a peer that has finished 5 s, in which its results are confirmed and it leaves by itself", () => {
    const { mesh, peer } = busyPeer();
    schedule(peer, "drain");
    release(peer, false);
    peer.mesh.run("finish_task", peer.successInput("done", peer.offers[0]));
    mesh.runFor(5 * SECOND - 1);
    expect(peer.view).toMatchObject({ connected: true, scheduling: "draining" });
    peer.leave();
    mesh.runFor(MINUTE);
    expect([peer.endFault, peer.view.scheduling]).toEqual([null, "cordoned"]);
  });

  test("DR2 ends the session of an idle peer that does not leave by itself", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    schedule(peer, "drain");
    mesh.runFor(5 * SECOND);
    expect([peer.endFault?.code, peer.view.scheduling]).toEqual(["drained", "cordoned"]);
  });

  test("DR2 what runs at its limit is abandoned and goes to another peer; the drained peer stays cordoned", () => {
    const { mesh, peer, begun } = busyPeer();
    schedule(peer, "drain", 30 * SECOND);
    mesh.runFor(30 * SECOND - 1);
    expect(peer.view.connected).toBe(true);
    mesh.runFor(1);
    expect(peer.view).toMatchObject({ connected: false, scheduling: "cordoned", failures: 0 });
    expect(peer.cancelled.map(({ taskId }) => taskId)).toContain(begun.id);
    expect(mesh.registry.tasks.get(begun.id)).toMatchObject({ state: "queued", attemptsUsed: 0 });
    peer.join();
    expect(peer.view).toMatchObject({ connected: true, scheduling: "cordoned" });
    mesh.runFor(MINUTE);
    expect(mesh.task(begun.id).state).toBe("queued");
  });

  test("DR2 goes on when the connection is lost and the peer returns, and ends with the peer's goodbye", () => {
    const { mesh, peer, begun } = busyPeer();
    schedule(peer, "drain");
    mesh.advanceClock(MINUTE);
    peer.leave("the connection broke", true);
    peer.join({ held: [{ task_id: begun.id, fence: 1 }] });
    expect(peer.view).toMatchObject({ scheduling: "draining", tasks: 1 });
    expect(mesh.effectsOfType("drain").at(-1)?.order.timeoutMs).toBe(9 * MINUTE);
    peer.leave();
    expect(peer.view.scheduling).toBe("cordoned");
  });

  test("DR2 a peer that is not connected is cordoned", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    peer.leave();
    schedule(peer, "drain");
    expect(peer.view.scheduling).toBe("cordoned");
  });
});

describe("a peer that drains itself", () => {
  test("DR3 gets nothing more in this session, and gets tasks again in the next", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    mesh.run("peer_drains", { peerId: peer.id, epoch: peer.epoch });
    expect(peer.view).toMatchObject({ scheduling: "draining", scheduled_by: "peer" });
    mesh.submit();
    expect(peer.offers).toEqual([]);
    peer.leave();
    peer.join();
    expect(peer.view.scheduling).toBe("open");
    expect(peer.offers).toHaveLength(1);
  });

  test("DR4 what it releases goes to another peer at once, and nobody has failed", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A, { slots: 2 });
    const offered = mesh.submit({ kind: "echo", max_attempts: 1 });
    const begun = mesh.submit({ kind: "echo", max_attempts: 1 });
    peer.accept();
    mesh.run("peer_drains", { peerId: peer.id, epoch: peer.epoch });
    const other = mesh.join(B, { slots: 2 });
    release(peer, false, peer.offers[0]);
    release(peer, true, peer.offers[1]);
    mesh.runFor(MINUTE);
    expect(other.offers.map(({ task_id }) => task_id).toSorted()).toEqual(
      [offered.id, begun.id].toSorted(),
    );
    expect(mesh.registry.tasks.get(begun.id)?.attemptsUsed).toBe(0);
    expect(peer.view).toMatchObject({ failures: 0, tasks: 0 });
    const { outcomes } = mesh.registry.observed.get(peer.id) ?? nothingObserved(mesh.now);
    expect(outcomesAt(outcomes, mesh.now)).toEqual(noOutcomes(mesh.now));
  });
});
