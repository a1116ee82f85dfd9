import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HOUR, MINUTE, SECOND } from "../../../src/base/clock.ts";
import { DEFAULT_POLICY, type ExpectedCost } from "../../../src/tasks/policy.ts";
import { KEYS, TestMesh, testKey } from "../mesh.ts";

const [A, B, C] = KEYS;
const LONDON = { latitude: 51.5074, longitude: -0.1278 };
const NEW_YORK = { latitude: 40.7128, longitude: -74.006 };
const PARIS = { latitude: 48.8566, longitude: 2.3522 };

const meshWith = (policy: Partial<ExpectedCost> = {}, seed = 1): TestMesh =>
  new TestMesh({ seed, config: { policy: { ...DEFAULT_POLICY, newcomerShare: 0, ...policy } } });

/** Submits a task, lets its peer run it for a time, and returns the peer's ID. */
function runTask(mesh: TestMesh, kind: string, ms: number, ok = true): string {
  const task = mesh.submit({ kind, max_attempts: 1 });
  const { peer_id: peerId } = mesh.task(task.id);
  const peer = [...mesh.sessions.values()].findLast(({ id }) => id === peerId);
  if (peer === undefined) throw new Error("no peer got the task");
  peer.accept();
  mesh.now += ms;
  if (ok) peer.finish();
  else peer.fail();
  return peer.id;
}

describe("choosing a peer by expected cost", () => {
  test("AS50 a task goes to the peer with the lowest expected completion time, learned per kind", () => {
    const mesh = meshWith({ hysteresis: 0 });
    const near = mesh.join(A, { rttMs: 20 });
    runTask(mesh, "render", 30 * SECOND);
    runTask(mesh, "echo", 1 * SECOND);
    const far = mesh.join(B, { rttMs: 200 });
    mesh.now += HOUR;
    near.leave();
    runTask(mesh, "render", 2 * SECOND);
    runTask(mesh, "echo", 1 * SECOND);
    mesh.join(A, { rttMs: 20 });
    mesh.now += HOUR;
    expect(runTask(mesh, "render", 2 * SECOND)).toBe(far.id);
    expect(runTask(mesh, "echo", 1 * SECOND)).toBe(near.id);
  });

  test("AS50 peers with recent failures are avoided until the failures are old", () => {
    const mesh = meshWith({ hysteresis: 0 });
    mesh.join(A, { rttMs: 20 });
    for (let i = 0; i < 3; i++) runTask(mesh, "echo", SECOND, false);
    mesh.join(B, { rttMs: 300 });
    expect(runTask(mesh, "echo", SECOND)).toBe(B.id);
    mesh.now += 24 * HOUR;
    expect(runTask(mesh, "echo", SECOND)).toBe(A.id);
  });

  test("AS52 a peer that has reached its share leaves further tasks to others", () => {
    const mesh = meshWith({ shareMax: 0.5, hysteresis: 0 });
    mesh.join(A, { rttMs: 20 });
    mesh.join(B, { rttMs: 900 });
    const got = Array.from({ length: 20 }, () => runTask(mesh, "echo", SECOND));
    expect(got.filter((id) => id === B.id).length).toBeGreaterThan(7);
  });

  test("AS54 of the best peers, the one near the requested location or peer is preferred", () => {
    const mesh = meshWith();
    mesh.join(A, { rttMs: 20, place: NEW_YORK });
    mesh.join(B, { rttMs: 22, place: PARIS });
    mesh.join(C, { rttMs: 24, place: LONDON });
    const near = (where: object) => {
      const task = mesh.submit({ kind: "echo", requirements: { near: where as typeof LONDON } });
      const { peer_id: peerId } = mesh.task(task.id);
      mesh.run("cancel_task", { id: task.id, visibleTo: null });
      return peerId;
    };
    expect(near(LONDON)).toBe(C.id);
    expect(near(NEW_YORK)).toBe(A.id);
    expect(near({ peer_id: B.id })).toBe(B.id);
  });
});

describe("measurements of a peer", () => {
  test("SC5 an RTT below what light needs for the distance is ignored", () => {
    const mesh = new TestMesh({ config: { place: LONDON } });
    const liar = mesh.join(A, { rttMs: 5, place: NEW_YORK });
    expect(liar.view.ping_ms).toBeNull();
    liar.observe("answered", 3);
    expect(liar.view.ping_ms).toBeNull();
    liar.observe("answered", 80);
    expect(liar.view.ping_ms).toBe(80);
  });

  test("SC6 evidence fades over time, and the score follows, while nothing new is observed", () => {
    const mesh = meshWith();
    const peer = mesh.join(A);
    for (let i = 0; i < 5; i++) runTask(mesh, "echo", SECOND, false);
    const low = peer.view.score;
    mesh.now += 12 * HOUR;
    expect(peer.view.score).toBeGreaterThan(low + 0.05);
  });

  test("SC10 evidence moves with a peer to its rotated key, and is removed when the peer is forgotten", () => {
    const mesh = meshWith();
    const peer = mesh.join(A, { protocol: "muster/2" });
    runTask(mesh, "echo", 3 * SECOND);
    const fresh = testKey(900);
    mesh.run("rotate_peer", {
      peerId: A.id,
      epoch: peer.epoch,
      newPeerId: fresh.id,
      newPublicKey: fresh.publicKey,
    });
    expect(mesh.run("get_score", { id: fresh.id }).service_times).toEqual([
      { kind: "echo", mean_ms: 3_000, samples: 1 },
    ]);
    mesh.run("forget_peer", { id: fresh.id });
    expect(mesh.rows("SELECT * FROM observed")).toEqual([]);
    expect(mesh.rows("SELECT * FROM service_times")).toEqual([]);
  });

  test("SC9 the explanation of a score shows each factor with its age and its evidence", () => {
    const mesh = meshWith();
    mesh.join(A, { rttMs: 100 });
    runTask(mesh, "echo", SECOND);
    mesh.now += MINUTE;
    const shown = mesh.run("get_score", { id: A.id });
    const { latency, reliability, hops, distance } = shown.factors;
    expect(latency).toMatchObject({ raw: 100, unit: "ms", normalised: 0.5, samples: 1 });
    expect(reliability.raw).toBe(1);
    expect(reliability.age_seconds).toBe(60);
    expect(reliability.samples).toBeLessThan(1);
    expect(hops).toMatchObject({ raw: 1, normalised: 0.5, weight: 0.2 });
    expect(distance).toMatchObject({ raw: null, known: 0, age_seconds: null, samples: 0 });
    const sum = [latency, reliability, hops, distance].reduce((total, { part }) => total + part, 0);
    expect(shown.score).toBeCloseTo(sum, 12);
  });
});

describe("the explanation of an assignment", () => {
  test("AS57 the explanation is stored: it shows the costs, the runners-up and the peers that were ruled out", () => {
    const mesh = meshWith();
    mesh.join(A, { rttMs: 20 });
    mesh.join(B, { rttMs: 300 });
    mesh.join(C).observe("missed_answer");
    const { id } = mesh.submit({ kind: "echo" });
    const why = mesh.run("why_task", { id, visibleTo: null });
    expect(why).toMatchObject({ attempt: 1, chosen: A.id, by: "measure", reproduced: true });
    expect(why.contenders.map(({ peer_id: peerId }) => peerId)).toEqual([A.id, B.id]);
    expect(why.contenders[0]?.cost?.rtt_ms).toBeGreaterThan(20);
    expect(why.contenders[0]?.worth).toBeGreaterThan(0.5);
    expect(why.ruled_out).toEqual({ not_active: 1 });
    expect(why.excluded).toEqual([{ peer_id: C.id, rule: "not_active" }]);
    mesh.now += HOUR;
    expect(mesh.run("why_task", { id, attempt: 1, visibleTo: null })).toEqual(why);
  });

  test("AS57 the explanation of a queued task shows the present state, and other owners' tasks are not_found", () => {
    const mesh = meshWith();
    mesh.join(A);
    const { id } = mesh.submit({ kind: "echo", requirements: { capabilities: ["gpu"] } });
    const why = mesh.run("why_task", { id, visibleTo: null });
    expect(why).toMatchObject({ attempt: null, chosen: null, eligible: 0 });
    expect(why.ruled_out).toEqual({ capability_missing: 1 });
    expect(mesh.errorOf("why_task", { id, visibleTo: "token-1" }).code).toBe("not_found");
  });

  test("AS57 the explanation is kept for 7 days", () => {
    const mesh = meshWith();
    mesh.join(A);
    const { id } = mesh.submit({
      kind: "echo",
      deadline_seconds: 30 * 24 * 3_600,
      lease_seconds: 3_600,
    });
    mesh.sessions.values().next().value?.accept();
    mesh.now += 7 * 24 * HOUR + 1;
    mesh.run("tick", {});
    expect(mesh.errorOf("why_task", { id, attempt: 1, visibleTo: null }).code).toBe("not_found");
  });

  test("AS55 every stored assignment of any history gives the same peer when it is computed again", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.array(fc.tuple(fc.nat(3), fc.nat(20_000), fc.boolean()), { maxLength: 25 }),
        (seed, steps) => {
          const mesh = meshWith({ newcomerShare: 0.3, shareMax: 0.6 }, seed);
          for (const [i, key] of KEYS.entries()) mesh.join(key, { rttMs: 20 + 90 * i });
          for (const [kind, ms, ok] of steps) runTask(mesh, `kind-${kind}`, ms, ok);
          for (const { task_id: id } of mesh.rows("SELECT task_id FROM choices")) {
            const why = mesh.run("why_task", { id: String(id), visibleTo: null });
            expect(why.reproduced).toBe(true);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});
