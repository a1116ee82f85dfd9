import { describe, expect, test } from "vitest";
import { DAY, MINUTE, SECOND } from "../../../src/base/clock.ts";
import { newKeyPair } from "../../../src/crypto/key-pairs.ts";
import { toHex } from "../../../src/base/bytes.ts";
import { ACCEPT_TIMEOUT, PEER_RETENTION } from "../../../src/protocol/constants.ts";
import { sampleRtt } from "../../../src/scoring/rtt.ts";
import { seededRandom } from "../../random.ts";
import { present } from "../../must.ts";
import { KEYS, testKey, TestMesh, type TestPeer } from "../mesh.ts";

const [A, B, C] = KEYS;
const random = seededRandom(77);

/** Connects peers of one network. */
function joinFleet(mesh: TestMesh, count: number, network = "AS64496"): TestPeer[] {
  return Array.from({ length: count }, () => {
    const { id, publicKey } = newKeyPair(random);
    return mesh.join({ id, publicKey: toHex(publicKey) }, { network, colo: "" });
  });
}

describe("a peer that does not accept an offer", () => {
  test("LV10 a peer that does not accept an offer in time becomes suspect, is pinged, and gets no offers until it answers", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A, { slots: 2 });
    const task = mesh.submit();
    mesh.runFor(ACCEPT_TIMEOUT + SECOND);
    expect(mesh.probes).toMatchObject([{ peerId: A.id, epoch: 1 }]);
    expect(peer.view).toMatchObject({ state: "suspect", connected: true, tasks: 0 });
    mesh.runFor(2 * MINUTE);
    expect(peer.offers).toHaveLength(1);
    expect(peer.observe("answered")).toBe(false);
    expect(peer.view.state).toBe("active");
    expect(peer.offer.task_id).toBe(task.id);
  });

  test("LV10 the order to ping is repeated until the peer's session has received it, and not afterwards", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    peer.unreachable = true;
    mesh.submit();
    mesh.runFor(ACCEPT_TIMEOUT + MINUTE);
    expect(mesh.probes).toEqual([]);
    peer.unreachable = false;
    mesh.runFor(10 * MINUTE);
    expect(mesh.probes).toMatchObject([{ peerId: A.id, session: peer.session, epoch: 1 }]);
  });

  test("LV10 a peer that is silent when it is offered a task becomes suspect, and the next peer gets the task at once", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A, { rttMs: 1 });
    const other = mesh.join(B, { rttMs: 900 });
    const { id } = mesh.submit();
    mesh.run("offer_failed", { ...peer.attempt(), reason: "silent", session: "silent" });
    expect(peer.view.state).toBe("suspect");
    expect(other.offer).toMatchObject({ task_id: id, fence: 2 });
  });
});

describe("the retention of a connected peer", () => {
  test("LV13 a peer that was connected for longer than the retention is still known after it rotates its key and disconnects", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A, { protocol: "muster/2" });
    mesh.runFor(PEER_RETENTION + DAY);
    const newer = { newPeerId: B.id, newPublicKey: B.publicKey };
    mesh.run("rotate_peer", { peerId: A.id, epoch: peer.epoch, ...newer });
    mesh.runFor(MINUTE);
    expect(mesh.registry.peers.get(B.id)).toMatchObject({ state: "stale", epoch: 1 });
  });
});

describe("an observation", () => {
  test("LV15 an observation that a newer one of the session has overtaken changes nothing", () => {
    const mesh = new TestMesh();
    mesh.join(A);
    const session = { peerId: A.id, epoch: 1 };
    const rtt = sampleRtt(null, 40);
    mesh.run("observe", { ...session, seq: 2, event: "answered", rtt });
    const before = mesh.contents();
    mesh.run("observe", { ...session, seq: 1, event: "missed_answer", rtt: null });
    mesh.run("observe", { ...session, seq: 2, event: "missed_answer", rtt: null });
    expect(mesh.contents()).toBe(before);
    mesh.run("observe", { ...session, seq: 3, event: "missed_answer", rtt: null });
    expect(mesh.contents()).not.toBe(before);
  });

  test("LV9 a peer that repeatedly falls silent stays suspect although it answers", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    for (let flap = 0; flap < 3; flap++) {
      peer.observe("missed_answer");
      mesh.advanceClock(20 * MINUTE * Number(flap === 0));
      if (flap < 2) while (peer.observe("answered")) mesh.advanceClock(SECOND);
    }
    mesh.advanceClock(SECOND);
    expect(peer.observe("answered")).toBe(true);
    mesh.advanceClock(15 * MINUTE);
    expect(peer.observe("answered")).toBe(false);
    expect(peer.view.state).toBe("active");
  });
});

describe("a correlated failure", () => {
  /** Twenty peers of one network, each running a task; `count` of them vanish at once. */
  function vanish(count: number) {
    const mesh = new TestMesh();
    const peers = joinFleet(mesh, 20);
    for (const peer of peers) {
      mesh.submit({ kind: "echo", requirements: { peer_id: peer.id } });
      peer.accept();
    }
    const gone = peers.slice(0, count);
    for (const peer of gone) peer.leave("the connection vanished", true);
    return { mesh, gone };
  }

  test("LV12 tasks that peers lose during a correlated failure wait up to a minute before other peers get them", () => {
    const { mesh, gone } = vanish(8);
    const pauses = gone.map(({ offer }) => {
      const row = mesh.rows(`SELECT not_before FROM tasks WHERE id = '${offer.task_id}'`)[0];
      return Number(row?.["not_before"]) - mesh.now;
    });
    for (const pause of pauses.slice(0, 4)) expect(pause).toBeLessThan(2 * SECOND);
    for (const pause of pauses.slice(5)) {
      expect(pause).toBeGreaterThan(25 * SECOND);
      expect(pause).toBeLessThan(65 * SECOND);
    }
  });

  test("LV12 a few silent peers, or many that say goodbye, are no correlated failure", () => {
    const { mesh } = vanish(4);
    expect(mesh.registry.correlatedFailures.anyCorrelated(mesh.now)).toBe(false);
    const leavers = joinFleet(mesh, 20, "AS64497");
    for (const peer of leavers) peer.leave("the peer disconnected");
    expect(mesh.registry.correlatedFailures.anyCorrelated(mesh.now)).toBe(false);
  });

  /** Whether the peer's record was removed. */
  const isEvicted = (mesh: TestMesh, { id }: { readonly id: string }): boolean =>
    mesh.registry.peers.get(id) === null;

  /** A mesh with a disconnected peer of each of these networks, before the network AS64496 fails. */
  function failing(...networks: readonly string[]) {
    const mesh = new TestMesh({ config: { retention: 10 * SECOND } });
    const old = networks.flatMap((network) => joinFleet(mesh, 1, network));
    for (const peer of old) peer.leave();
    const peers = joinFleet(mesh, 20);
    const flapping = peers.slice(0, 6);
    const fail = (): void => {
      for (const peer of flapping) peer.leave("the connection vanished", true);
      for (const peer of flapping) peer.join({ network: "AS64496" });
    };
    return { mesh, old, fail };
  }

  test("LV12 no peer of a network is evicted during a correlated failure of it", () => {
    const { mesh, old, fail } = failing("AS64496");
    fail();
    mesh.runFor(4 * MINUTE);
    expect(old.map((peer) => isEvicted(mesh, peer))).toEqual([false]);
    mesh.runFor(3 * MINUTE);
    expect(old.map((peer) => isEvicted(mesh, peer))).toEqual([true]);
  });

  test("LV12 peers of other networks are evicted during a correlated failure", () => {
    const { mesh, old, fail } = failing("AS64496", "AS64497", "");
    fail();
    mesh.runFor(4 * MINUTE);
    expect(old.map((peer) => isEvicted(mesh, peer))).toEqual([false, true, true]);
  });

  test("LV30 peers that flap for hours delay no eviction of their network for more than half an hour", () => {
    const { mesh, old, fail } = failing("AS64496");
    for (let minute = 0; minute < 40; minute++) {
      fail();
      mesh.runFor(MINUTE);
    }
    expect(old.map((peer) => isEvicted(mesh, peer))).toEqual([true]);
  });

  test("LV31 strangers that flap delay neither the eviction nor the tasks of listed peers of their network", () => {
    const { mesh, fail } = failing();
    const [listed, other] = [KEYS[0], KEYS[1]].map((key) => {
      const of = {
        publicKey: key.publicKey,
        peerId: key.id,
        label: "",
        readmit: false,
        go_p2p: false,
      };
      mesh.run("allow", { ...of, roles: ["worker"] });
      return mesh.join(key, { network: "AS64496" });
    });
    const { id } = mesh.submit({ kind: "echo", requirements: { peer_id: A.id } });
    present(listed).accept();
    fail();
    present(other).leave();
    present(listed).leave("the connection vanished", true);
    const row = mesh.rows(`SELECT not_before FROM tasks WHERE id = '${id}'`)[0];
    expect(Number(row?.["not_before"]) - mesh.now).toBeLessThan(2 * SECOND);
    mesh.runFor(2 * MINUTE);
    expect(isEvicted(mesh, B)).toBe(true);
  });
});

describe("a peer that stays disconnected", () => {
  test("LV13 a peer is evicted when its retention is over, and a tombstone keeps its epoch", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A, { protocol: "muster/2" });
    peer.leave();
    mesh.runFor(PEER_RETENTION - MINUTE);
    expect(peer.view.state).toBe("stale");
    mesh.runFor(2 * MINUTE);
    expect(mesh.errorOf("get_peer", { id: A.id }).code).toBe("not_found");
    expect(mesh.errorOf("admit", peer.admitInput()).code).toBe("downgrade_refused");
    peer.join({ protocol: "muster/2" });
    expect(peer.epoch).toBe(2);
  });

  test("LV13 a peer that is connected, came back in time or is revoked is not evicted", () => {
    const mesh = new TestMesh();
    const [connected, returned, revoked] = [mesh.join(A), mesh.join(B), mesh.join(C)];
    returned.leave();
    mesh.run("revoke_peer", { id: C.id });
    mesh.runFor(PEER_RETENTION - MINUTE);
    returned.join();
    mesh.runFor(10 * DAY);
    expect([connected, returned, revoked].map(({ view }) => view.state)).toEqual([
      "active",
      "active",
      "revoked",
    ]);
  });
});

describe("the reconnect position in the welcome", () => {
  /** The seconds after which the first of so many peers may reconnect: 200 draws, from the same random numbers each time. */
  const delaysIn = (peers: number, reconnectSpread: number) => {
    const mesh = new TestMesh({ config: { reconnectSpread }, seed: 20 });
    const joined = Array.from({ length: peers }, (_, index) => mesh.join(testKey(500 + index)));
    const peer = present(joined[0]);
    return Array.from({ length: 200 }, () => {
      const { slot, per_second } = mesh.run("admit", peer.admitInput()).reconnect;
      return slot / per_second;
    });
  };

  test.each([1, 60, 300])(
    "LV14 the reconnect position is drawn from the configured spread, in a mesh of %i peers, too",
    (peers) => {
      const delays = delaysIn(peers, 10 * SECOND);
      expect(Math.max(...delays)).toBeLessThan(10);
      expect(Math.max(...delays)).toBeGreaterThan(9);
      expect(Math.min(...delays)).toBeLessThan(1);
    },
  );

  test("LV14 the reconnect position follows the configured spread", () => {
    expect(Math.max(...delaysIn(1, 1 * SECOND))).toBeLessThan(1);
    expect(Math.max(...delaysIn(1, 600 * SECOND))).toBeGreaterThan(500);
  });
});
