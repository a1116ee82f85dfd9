import { describe, expect, test } from "vitest";
import { DAY, HOUR, MINUTE, SECOND } from "../../src/base/clock.ts";
import { continueAfterRestore, RETURN_GRACE } from "../../src/registry/after-restore.ts";
import type { TaskOffer } from "../../src/protocol/messages.ts";
import { restoredSql } from "../backup/restored-sql.ts";
import { KEYS, TestMesh, TestPeer } from "../coordinator/mesh.ts";
import { must } from "../must.ts";
import { seededNumbers } from "../random.ts";

const [A, B, C] = KEYS;

/** The mesh of a backup that was made now, at the time when its coordinator wakes first. */
function restored(mesh: TestMesh, later = 10 * MINUTE): TestMesh {
  mesh.registry.measurements.flush();
  const sql = restoredSql(mesh.sql);
  continueAfterRestore(sql, mesh.now + later);
  const again = new TestMesh({ sql, seed: 1_007, config: mesh.config });
  again.now = mesh.now + later;
  return again;
}

/** A peer that knows only what its earlier mesh gave it. */
function returning(peer: TestPeer, mesh: TestMesh): TestPeer {
  const same = new TestPeer(mesh, peer.key);
  same.offers.push(...peer.offers);
  return same;
}

describe("a mesh that was restored from a backup", () => {
  test("BK20 gives no fence, session epoch or discovery epoch again that it gave out after the backup, in random histories", () => {
    for (let seed = 1; seed <= 6; seed++) {
      const { mesh, peers } = aHistory(seed, 40);
      const known = fencesOf(mesh);
      const again = restoredLaterThan(mesh, () => continueHistory(mesh, peers, seed, 120));
      const future = fencesOf(mesh);
      const epochs = new Map(peers.map((peer) => [peer.id, peer.epoch]));
      const discoveryEpoch = newestEpoch(mesh);
      const discoverySeq = mesh.registry.pointers.seq();
      const others = peers.map((peer) => again.join(peer.key, { held: [] }));
      continueHistory(again, others, seed + 1, 60);
      for (const [task, fences] of fencesOf(again)) {
        for (const fence of fences)
          if (!(known.get(task) ?? []).includes(fence))
            expect(fence).toBeGreaterThan(Math.max(0, ...(future.get(task) ?? [])));
      }
      for (const peer of others) expect(peer.epoch).toBeGreaterThan(epochs.get(peer.id) ?? 0);
      expect(newestEpoch(again)).toBeGreaterThan(discoveryEpoch);
      expect(again.registry.pointers.seq()).toBeGreaterThan(discoverySeq);
    }
  });

  test("BK21 accepts nothing of an attempt that a peer got after the backup, whatever the peer sends", () => {
    for (let seed = 1; seed <= 6; seed++) {
      const { mesh, peers } = aHistory(seed, 40);
      const known = fencesOf(mesh);
      const again = restoredLaterThan(mesh, () => continueHistory(mesh, peers, seed, 120));
      for (const peer of peers) {
        const hostile = returning(peer, again);
        const fromFuture = peer.offers.filter(
          ({ task_id: id, fence }) => !(known.get(id) ?? []).includes(fence),
        );
        hostile.join({ held: fromFuture.map(({ task_id, fence }) => ({ task_id, fence })) });
        for (const offer of fromFuture) expectRefused(again, hostile, offer, [peer.epoch]);
      }
      // Also once the tasks are offered and begun again, by the same peers.
      continueHistory(again, [...again.sessions.values()], seed + 2, 30);
      for (const peer of peers)
        for (const offer of peer.offers)
          if (!(known.get(offer.task_id) ?? []).includes(offer.fence))
            expectRefused(again, returning(peer, again), offer, [peer.epoch, epochOf(again, peer)]);
    }
  });

  test("BK20 gives a failed task that is retried a fence above those of the time after the backup", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const { id } = mesh.submit({ kind: "echo", max_attempts: 1 });
    peer.accept();
    peer.fail();
    const again = restoredLaterThan(mesh, () => retryAndFail(mesh, id));
    const future = Math.max(...(fencesOf(mesh).get(id) ?? []));
    const other = again.join(B);
    again.run("retry_task", { id, visibleTo: null });
    expect(other.offer.task_id).toBe(id);
    expect(other.offer.fence).toBeGreaterThan(future);
  });

  test("BK20 continues above the numbers of an earlier restore of the same backup", () => {
    const mesh = new TestMesh();
    mesh.submit();
    const [first, second] = [restored(mesh, HOUR), restored(mesh, HOUR + SECOND)];
    const [one, two] = [first.join(A), second.join(A)];
    expect(two.offer.fence).toBeGreaterThan(one.offer.fence);
    expect(two.epoch).toBeGreaterThan(one.epoch);
  });

  test("BK20 numbers tasks that are submitted after the restore as before: their IDs are new", () => {
    const again = restored(new TestMesh());
    const peer = again.join(A);
    again.submit();
    expect(peer.offer.fence).toBe(1);
  });

  test("BK20 a peer that the backup does not know begins above the epochs of the time after it", () => {
    const mesh = new TestMesh();
    const again = restoredLaterThan(mesh, () => {
      for (let i = 0; i < 9; i++) mesh.join(C);
    });
    expect(again.join(C).epoch).toBeGreaterThan(9);
  });

  test("BK22 a peer goes on with a task that it had begun, and its result is accepted", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const { id } = mesh.submit({ kind: "echo", attempt_timeout_seconds: 10 * 3_600 });
    peer.accept();
    const again = restored(mesh);
    expect(again.task(id)).toMatchObject({ state: "running", peer_id: A.id });
    again.join(B);
    again.runFor(RETURN_GRACE - SECOND);
    const back = returning(peer, again);
    back.join({ held: [{ task_id: id, fence: back.offer.fence }] });
    back.progress(0.5);
    back.finish("made across the restore");
    expect(again.task(id)).toMatchObject({ state: "succeeded", result: "made across the restore" });
  });

  test("BK22 a task whose peer does not come back goes to another peer, as an interruption", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const { id } = mesh.submit({ kind: "echo", attempt_timeout_seconds: 10 * 3_600 });
    peer.accept();
    const again = restored(mesh);
    const other = again.join(B);
    again.runFor(RETURN_GRACE + MINUTE);
    expect(other.offer.task_id).toBe(id);
    expect(again.task(id).attempts).toMatchObject([{ state: "lost" }, {}]);
  });

  test("BK22 an offer of before the backup does not hold up its task, and its peer may still bring the result", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const { id } = mesh.submit({ kind: "echo" });
    const again = restored(mesh);
    expect(again.task(id)).toMatchObject({ state: "queued" });
    const back = returning(peer, again);
    back.join({ held: [], slots: 0 });
    back.finish("begun after the backup");
    expect(again.task(id)).toMatchObject({ state: "succeeded", result: "begun after the backup" });
  });

  test("BK22 every session of before has ended, whatever its state was", () => {
    const mesh = new TestMesh();
    mesh.join(A);
    mesh.join(B).observe("missed_answer");
    mesh.join(C).leave();
    const again = restored(mesh);
    const rows = again.rows("SELECT state, session, held FROM peers");
    expect(rows).toEqual([0, 1, 2].map(() => ({ state: "stale", session: null, held: 0 })));
    expect(again.run("get_peer", { id: A.id }).tasks).toBe(0);
  });

  test("BK23 a key that was revoked stays out, an allowed one gets in, and the auth mode is that of before", () => {
    const mesh = new TestMesh();
    mesh.run("set_auth_mode", { mode: "allowlist" });
    for (const { id: peerId, publicKey } of [A, B])
      mesh.run("allow", {
        peerId,
        publicKey,
        label: "",
        roles: ["dual"],
        readmit: false,
        go_p2p: false,
      });
    mesh.join(A);
    mesh.run("revoke_peer", { id: A.id });
    const again = restored(mesh);
    expect(again.errorOf("admit", new TestPeer(again, A).admitInput()).code).toBe("revoked");
    expect(again.errorOf("admit", new TestPeer(again, C).admitInput()).code).toBe("not_allowed");
    expect(again.join(B).epoch).toBeGreaterThan(0);
  });

  test("BK24 publishes each peer again when it is back, under an epoch whose secrets are new", () => {
    const mesh = new TestMesh();
    mesh.join(A);
    mesh.runFor(MINUTE);
    const before = mesh.discoveryKeys();
    expect(mesh.pointers).toHaveLength(1);
    const again = restored(mesh);
    expect(again.pointers).toEqual([]);
    again.join(A);
    again.runFor(MINUTE);
    expect(again.pointers).toHaveLength(1);
    const secrets = new Set(before.epochs.map(({ private_key: key }) => key));
    for (const { private_key: key } of again.discoveryKeys().epochs)
      expect(secrets).not.toContain(key);
  });

  test("BK25 the audit log has an entry of the restore, whose number is above those of the time after the backup", () => {
    const mesh = new TestMesh();
    mesh.run("set_auth_mode", { mode: "open" });
    const again = restoredLaterThan(mesh, () => {
      for (let i = 0; i < 9; i++) mesh.run("set_auth_mode", { mode: i % 2 ? "open" : "allowlist" });
    });
    const [newest] = again.rows(
      "SELECT seq, actor, act, outcome FROM audit ORDER BY seq DESC LIMIT 1",
    );
    const [future] = mesh.rows("SELECT MAX(seq) AS seq FROM audit");
    expect(newest).toMatchObject({ actor: "mesh", act: "restore", outcome: "ok" });
    expect(Number(newest?.["seq"])).toBeGreaterThan(Number(future?.["seq"]));
  });

  test("BK20 a webhook source has a revision that no isolate of the gateway can have in memory", () => {
    const mesh = new TestMesh();
    for (let i = 0; i < 3; i++) mesh.registry.settings.nextWebhookSourceRevision();
    const again = restoredLaterThan(mesh, () => {
      for (let i = 0; i < 9; i++) mesh.registry.settings.nextWebhookSourceRevision();
    });
    expect(again.registry.settings.nextWebhookSourceRevision()).toBeGreaterThan(12);
  });

  test("BK20 nothing changes in a database that was not restored, nor a second time", () => {
    const mesh = new TestMesh();
    mesh.join(A);
    mesh.submit();
    const before = mesh.contents();
    continueAfterRestore(mesh.sql, mesh.now + DAY);
    expect(mesh.contents()).toBe(before);
    const again = restored(mesh);
    again.join(A);
    const after = again.contents();
    continueAfterRestore(again.sql, again.now + DAY);
    expect(again.contents()).toBe(after);
  });
});

/** Backs the mesh up, lets it run on, and restores the backup a minute after that. */
function restoredLaterThan(mesh: TestMesh, runOn: () => void): TestMesh {
  mesh.registry.measurements.flush();
  const sql = restoredSql(mesh.sql);
  runOn();
  const now = mesh.now + MINUTE;
  continueAfterRestore(sql, now);
  const again = new TestMesh({ sql, seed: 1_007, config: mesh.config });
  again.now = now;
  return again;
}

function aHistory(seed: number, steps: number) {
  const mesh = new TestMesh({ seed });
  const peers = [A, B, C].map((key) => mesh.join(key));
  continueHistory(mesh, peers, seed, steps);
  return { mesh, peers };
}

/** Random work: tasks are submitted, accepted, refused, failed, finished, retried; peers leave and come back; time passes. */
function continueHistory(mesh: TestMesh, peers: readonly TestPeer[], seed: number, steps: number) {
  const random = seededNumbers(seed);
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  for (let step = 0; step < steps; step++) {
    const peer = pick(peers);
    const offer = peer.offers.length === 0 ? null : pick(peer.offers.slice(-3));
    const at = random() * 9;
    if (at < 2) mesh.submit({ kind: "echo", max_attempts: 3 });
    else if (at < 4 && offer !== null)
      mesh.attempt("accept_task", { ...peer.attempt(offer), queued: false });
    else if (at < 5 && offer !== null)
      mesh.attempt("refuse_task", { ...peer.attempt(offer), reason: "busy" });
    else if (at < 6 && offer !== null) {
      const { task_id, fence } = offer;
      const outcome =
        random() < 0.5
          ? ({ task_id, fence, ok: false, error: "it broke", retry: true } as const)
          : peer.successInput("done", offer).outcome;
      mesh.attempt("finish_task", { peerId: peer.id, epoch: peer.epoch, outcome });
    } else if (at < 7) {
      peer.leave();
      peer.join(random() < 0.5 ? { held: [] } : {});
    } else if (at < 7.5) {
      const [ended] = mesh.rows("SELECT id FROM tasks WHERE state = 'failed' LIMIT 1");
      if (ended !== undefined)
        mesh.attempt("retry_task", { id: String(ended["id"]), visibleTo: null });
    } else mesh.runFor(Math.floor(random() * 20 * SECOND));
  }
}

/** The fences of each task's attempts that the mesh gave to any peer. */
function fencesOf(mesh: TestMesh): Map<string, number[]> {
  const fences = new Map<string, number[]>();
  for (const { offer } of mesh.effectsOfType("offer"))
    fences.set(offer.task_id, [...(fences.get(offer.task_id) ?? []), offer.fence]);
  return fences;
}

const newestEpoch = (mesh: TestMesh): number =>
  Math.max(...mesh.discoveryKeys().epochs.map(({ epoch }) => epoch));

const epochOf = (mesh: TestMesh, { id }: TestPeer): number =>
  mesh.registry.peers.get(id)?.epoch ?? 0;

/** Every message about an attempt, from its own session and from those of other epochs, is refused and changes no task. */
function expectRefused(
  mesh: TestMesh,
  peer: TestPeer,
  offer: TaskOffer,
  epochs: readonly number[],
): void {
  const before = JSON.stringify(mesh.rows("SELECT * FROM tasks"));
  for (const epoch of [peer.epoch, ...epochs]) {
    const claim = { peerId: peer.id, epoch, taskId: offer.task_id, fence: offer.fence };
    const outcome = peer.successInput("from the future", offer).outcome;
    for (const { result } of [
      mesh.execute("finish_task", { peerId: peer.id, epoch, outcome }),
      mesh.execute("accept_task", { ...claim, queued: false }),
      mesh.execute("progress_task", { ...claim, progress: 0.9, message: null }),
    ])
      expect(result.ok).toBe(false);
  }
  expect(JSON.stringify(mesh.rows("SELECT * FROM tasks"))).toBe(before);
}

/** Another peer each time: the circuit of one that fails opens. */
function retryAndFail(mesh: TestMesh, id: string): void {
  for (const key of [B, C]) {
    for (const peer of mesh.sessions.values()) peer.leave();
    must(mesh.attempt("retry_task", { id, visibleTo: null }));
    const peer = mesh.join(key);
    peer.accept();
    peer.fail();
  }
}
