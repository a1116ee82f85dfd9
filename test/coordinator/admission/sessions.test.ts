import { describe, expect, test } from "vitest";
import { SECOND } from "../../../src/base/clock.ts";
import { BLOB_GRACE_PERIOD } from "../../../src/protocol/constants.ts";
import { score } from "../../../src/scoring/score.ts";
import { present } from "../../must.ts";
import { sampleRtt } from "../../../src/scoring/rtt.ts";
import { KEYS, START, TestMesh } from "../mesh.ts";

const [A, B] = KEYS;
const LONDON = { latitude: 51.5074, longitude: -0.1278 };
const NEW_YORK = { latitude: 40.7128, longitude: -74.006 };

describe("a peer that is admitted", () => {
  test("an admitted peer is listed with what it announced, its measurements and its score", () => {
    const mesh = new TestMesh({ config: { place: LONDON } });
    const peer = mesh.join(A, {
      name: "atlas",
      capabilities: ["gpu"],
      slots: 4,
      address: "203.0.113.7",
      place: NEW_YORK,
      rttMs: 80,
    });
    const hops = { hops: null, hopsKnown: 0, direct: true };
    const measured = { rttMs: 80, ...hops, geoKm: 5570.23, successes: 0, failures: 0, uptime: 1 };
    expect(peer.view).toEqual({
      id: A.id,
      kinds: ["*"],
      circuits: [],
      name: "atlas",
      public_key: A.publicKey,
      address: "203.0.113.7",
      role: "worker",
      added_at: new Date(START).toISOString(),
      last_seen: new Date(START).toISOString(),
      ping_ms: 80,
      hops: 1,
      geo_km: expect.closeTo(5570.23, 2),
      score: expect.closeTo(score(measured).score, 6),
      confidence: expect.closeTo(score(measured).confidence, 6),
      connected: true,
      state: "active",
      scheduling: "open",
      scheduled_by: null,
      protocol: "go-p2p/1.0",
      go_p2p_generation: 1,
      capabilities: ["gpu"],
      slots: 4,
      tasks: 0,
      successes: 0,
      failures: 0,
    });
  });

  test("GP12 a peer shows the generation of go-p2p that its newest session speaks", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A, { goP2pGeneration: 2 });
    expect(peer.view).toMatchObject({ protocol: "go-p2p/1.0", go_p2p_generation: 2 });
    peer.leave();
    expect(peer.view).toMatchObject({ connected: false, go_p2p_generation: 2 });
    peer.join({ goP2pGeneration: 1 });
    expect(peer.view.go_p2p_generation).toBe(1);
    peer.leave();
    peer.join({ protocol: "muster/2", goP2pGeneration: null });
    expect(peer.view).toMatchObject({ protocol: "muster/2", go_p2p_generation: null });
  });

  test("GP12 a session of an older version, which names no generation, is one of generation 1", () => {
    const mesh = new TestMesh();
    expect(mesh.join(A).view.go_p2p_generation).toBe(1);
    expect(mesh.join(B, { protocol: "muster/2" }).view.go_p2p_generation).toBeNull();
  });

  test("SC3 the distance is unknown without both locations, and the last known distance is kept", () => {
    const placeless = new TestMesh();
    expect(placeless.join(A, { place: NEW_YORK }).view.geo_km).toBeNull();
    const mesh = new TestMesh({ config: { place: LONDON } });
    const peer = mesh.join(A);
    expect(peer.view.geo_km).toBeNull();
    peer.join({ place: NEW_YORK });
    peer.join();
    expect(peer.view.geo_km).toBeCloseTo(5570.2, 0);
  });

  test("a peer that reconnects keeps its join time, its outcomes and its smoothed RTT", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A, { rttMs: 80 });
    mesh.submit();
    peer.finish();
    peer.leave();
    mesh.advanceClock(60 * SECOND);
    peer.join({ rttMs: 160, name: "renamed" });
    expect(peer.view).toMatchObject({
      name: "renamed",
      added_at: new Date(START).toISOString(),
      last_seen: new Date(START + 60 * SECOND).toISOString(),
      ping_ms: 90,
      successes: 1,
    });
  });
});

describe("a session's epoch", () => {
  test("HS18 the coordinator assigns epochs, and each session of a peer gets a higher one", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const epochs = [peer.epoch];
    peer.join();
    epochs.push(peer.epoch);
    peer.leave();
    peer.join();
    epochs.push(peer.epoch);
    expect(epochs).toEqual([1, 2, 3]);
    expect(mesh.join(B).epoch).toBe(1);
  });

  test("HS18 epochs continue to grow after the peer was forgotten", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    peer.join();
    mesh.run("forget_peer", { id: peer.id });
    peer.join();
    expect(peer.epoch).toBe(3);
    mesh.run("gone", { peerId: peer.id, epoch: 1, reason: "late", silent: false });
    mesh.run("gone", { peerId: peer.id, epoch: 2, reason: "late", silent: false });
    expect(peer.view.connected).toBe(true);
  });

  test("HS18 a newer session of a peer ends the older one with superseded", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const older = peer.session;
    peer.join();
    expect(mesh.effectsOfType("end_session")).toMatchObject([
      { to: { peerId: A.id, session: older, epoch: 1 }, fault: { code: "superseded" } },
    ]);
  });

  test("HS18 observations and the end of an older session change nothing", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const older = peer.session;
    peer.join();
    const before = mesh.contents();
    const { id: peerId } = A;
    mesh.run("observe", { peerId, epoch: 1, seq: 9, event: "missed_answer", rtt: null });
    const rtt = sampleRtt(null, 9_999);
    mesh.run("observe", { peerId, epoch: 1, seq: 10, event: "answered", rtt });
    mesh.run("gone", { peerId, epoch: 1, reason: "closed", silent: false });
    mesh.run("gone", { peerId, session: older, reason: "vanished", silent: false });
    expect(mesh.contents()).toBe(before);
  });

  test("HS18 messages about a task from an older session get lease_lost, although the peer holds the task", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    mesh.submit();
    const { claim, result } = { claim: peer.attempt(), result: peer.successInput("old") };
    peer.join();
    expect(mesh.errorOf("accept_task", claim).code).toBe("lease_lost");
    expect(mesh.errorOf("refuse_task", { ...claim, reason: "busy" }).code).toBe("lease_lost");
    expect(mesh.errorOf("progress_task", { ...claim, progress: 1 }).code).toBe("lease_lost");
    expect(mesh.errorOf("finish_task", result).code).toBe("lease_lost");
    peer.finish();
  });

  test("HS18 a newer session keeps the tasks that the older one held", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const task = mesh.submit();
    peer.accept();
    peer.join();
    expect(peer.view.tasks).toBe(1);
    peer.finish("done");
    expect(mesh.task(task.id)).toMatchObject({ state: "succeeded", attempts: [{ attempt: 1 }] });
  });
});

describe("an observation", () => {
  test("LV3 a missed answer makes a peer suspect and leaves it connected; an answer makes it active again", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    peer.observe("missed_answer");
    expect(peer.view).toMatchObject({ state: "suspect", connected: true });
    mesh.advanceClock(SECOND);
    peer.observe("answered", 40);
    expect(peer.view).toMatchObject({
      state: "active",
      ping_ms: 40,
      last_seen: new Date(START + SECOND).toISOString(),
    });
  });

  test("LV3 a suspect peer keeps its task and may finish it", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const task = mesh.submit();
    peer.accept();
    peer.observe("missed_answer");
    expect(peer.view.tasks).toBe(1);
    peer.finish();
    expect(mesh.task(task.id).state).toBe("succeeded");
  });

  test("a missed answer does not change the RTT or the time when the peer was last seen", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A, { rttMs: 33 });
    const { last_seen } = peer.view;
    mesh.advanceClock(SECOND);
    peer.observe("missed_answer");
    expect(peer.view).toMatchObject({ ping_ms: 33, last_seen });
  });

  test("an observation of an unknown peer changes nothing", () => {
    const mesh = new TestMesh();
    const before = mesh.contents();
    const rtt = sampleRtt(null, 5);
    mesh.run("observe", { peerId: A.id, epoch: 1, seq: 1, event: "answered", rtt });
    mesh.run("gone", { peerId: A.id, epoch: 1, reason: "closed", silent: false });
    expect(mesh.contents()).toBe(before);
  });
});

describe("a peer that disconnects", () => {
  test("LV7 other peers get the tasks of a disconnected peer, and the tasks that it had started count as failures", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A, { slots: 2 });
    const begun = mesh.submit();
    peer.accept();
    const waiting = mesh.submit();
    const other = mesh.join(B, { slots: 2 });
    peer.leave("the connection broke");
    expect(peer.view).toMatchObject({ state: "stale", connected: false, tasks: 0, failures: 1 });
    expect(other.offers.map(({ task_id }) => task_id)).toEqual([waiting.id]);
    mesh.runFor(SECOND);
    expect(other.offers.map(({ task_id }) => task_id)).toEqual([waiting.id, begun.id]);
    expect(mesh.task(begun.id).attempts).toMatchObject([
      { state: "lost", error: "the connection broke", ended_at: new Date(START).toISOString() },
      { state: "offered", peer_id: B.id },
    ]);
  });

  test("LV7 a disconnect withdraws the peer's pointer in the same transaction, and schedules the deletion of its blob", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const pointer = present(mesh.registry.pointers.ofPeer(A.id)[0]);
    const { effects } = mesh.execute("gone", {
      peerId: A.id,
      epoch: 1,
      reason: "closed",
      silent: false,
    });
    expect(mesh.pointers).toEqual([]);
    expect(mesh.registry.outbox.due(mesh.now + BLOB_GRACE_PERIOD, 9)).toMatchObject([
      { entry: { kind: "delete_blob", blobId: pointer.blobId } },
    ]);
    expect(effects).toEqual([]);
    expect(mesh.nextTick()).toBeLessThanOrEqual(mesh.now + BLOB_GRACE_PERIOD);
    expect(peer.view.state).toBe("stale");
  });

  test("LV7 a disconnect can name the session instead of its epoch", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    mesh.submit();
    mesh.run("gone", { peerId: A.id, session: peer.session, reason: "vanished", silent: false });
    expect(peer.view).toMatchObject({ state: "stale", tasks: 0 });
  });

  test("LV7 a repeated disconnect changes nothing", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    peer.leave();
    const before = mesh.contents();
    peer.leave();
    mesh.run("gone", { peerId: A.id, session: peer.session, reason: "vanished", silent: false });
    expect(mesh.contents()).toBe(before);
  });

  test("LV7 a peer that disconnected loses its leases: later messages about them get lease_lost", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    mesh.submit();
    peer.accept();
    const claim = peer.attempt();
    peer.leave();
    peer.join();
    expect(mesh.errorOf("progress_task", { ...claim, progress: 1 }).code).toBe("lease_lost");
  });
});
