import { describe, expect, test } from "vitest";
import { HOUR, SECOND } from "../../../src/base/clock.ts";
import { RTT_PAIRS_PER_PEER_MAX, RTT_REPORT_INTERVAL } from "../../../src/protocol/constants.ts";
import { peerIdOf } from "../../../src/crypto/identity.ts";
import { hexBytes } from "../../must.ts";
import { KEYS, START, testKey, TestMesh, type TestPeer } from "../mesh.ts";

const [A, B, C] = KEYS;

/** Peers at positions on a line. The distance of two positions is their RTT in milliseconds. */
function peersOnLine(mesh: TestMesh, places: readonly number[]) {
  return places.map((place, n) => ({ peer: mesh.join(testKey(500 + n)), place }));
}

const reportRtts = (peer: TestPeer, rtts: readonly (readonly [string, number])[]) =>
  peer.mesh.run("report_rtts", {
    peerId: peer.id,
    epoch: peer.epoch,
    rtts: rtts.map(([to, rttMs]) => ({ to, rttMs })),
  });
const getRtt = (mesh: TestMesh, id: string, other: string) => mesh.run("get_rtt", { id, other });

describe("RTTs that peers report", () => {
  test("SC26 a reported RTT is shown as observed, in both directions", () => {
    const mesh = new TestMesh();
    const [a, b] = [mesh.join(A), mesh.join(B)];
    expect(getRtt(mesh, A.id, B.id)).toEqual({
      peer_id: A.id,
      other_id: B.id,
      rtt_ms: null,
      error_ms: null,
      basis: null,
      observed: false,
      observed_ms: null,
      observed_at: null,
    });
    for (const ms of [40, 400, 44]) {
      reportRtts(a, [[B.id, ms]]);
      mesh.now += RTT_REPORT_INTERVAL;
    }
    const measured = {
      rtt_ms: 44,
      error_ms: 180,
      basis: "observed",
      observed: true,
      observed_ms: 44,
    };
    const at = new Date(START + 2 * RTT_REPORT_INTERVAL).toISOString();
    for (const [one, other] of [
      [a.id, b.id],
      [b.id, a.id],
    ] as const)
      expect(getRtt(mesh, one, other)).toEqual({
        ...measured,
        peer_id: one,
        other_id: other,
        observed_at: at,
      });
  });

  test("SC26 an RTT that was never reported, or long ago, is estimated from network coordinates", () => {
    const mesh = new TestMesh();
    const peers = peersOnLine(mesh, [0, 30, 60, 90, 120]);
    for (let round = 0; round < 200; round++) {
      for (const { peer, place } of peers) {
        // All pairs but the two ends of the line.
        const others = peers.filter((other) => ![0, 120].includes(Math.abs(other.place - place)));
        reportRtts(
          peer,
          others.map((other) => [other.peer.id, Math.abs(other.place - place) + 5]),
        );
      }
      mesh.now += RTT_REPORT_INTERVAL;
    }
    const [first, , third, , last] = peers.map(({ peer }) => peer.id) as [
      string,
      string,
      string,
      string,
      string,
    ];
    const far = getRtt(mesh, first, last);
    expect(far).toMatchObject({ basis: "coordinates", observed: false, observed_ms: null });
    expect(far.rtt_ms).toBeGreaterThan(95);
    expect(far.rtt_ms).toBeLessThan(155);
    expect(far.error_ms).toBeLessThan(far.rtt_ms as number);
    mesh.now += HOUR;
    const old = getRtt(mesh, first, third);
    expect(old).toMatchObject({ basis: "coordinates", observed: true, observed_ms: 65 });
    expect(Math.abs((old.rtt_ms as number) - 65)).toBeLessThan(20);
  });

  test("SC27 a report counts once in 10 s, from the newest session only, and not for the peer itself or an unknown peer", () => {
    const mesh = new TestMesh();
    const [a, b] = [mesh.join(A), mesh.join(B)];
    const observedMs = () => getRtt(mesh, A.id, B.id).observed_ms;
    const old = { mesh, id: a.id, epoch: a.epoch } as TestPeer;
    a.join();
    reportRtts(old, [[B.id, 9]]);
    expect(observedMs()).toBeNull();
    reportRtts(a, [
      [A.id, 1],
      [C.id, 1],
    ]);
    expect([mesh.registry.coordinates.get(A.id), mesh.registry.pairRtts.get(A.id, C.id)]).toEqual([
      null,
      null,
    ]);
    reportRtts(a, [[B.id, 10]]);
    mesh.now += 9 * SECOND;
    reportRtts(a, [[B.id, 20]]);
    expect(observedMs()).toBe(10);
    mesh.now += SECOND;
    reportRtts(a, [[B.id, 20]]);
    expect(observedMs()).toBe(20);
    expect(mesh.registry.coordinates.get(b.id)).toBeNull();
  });

  test("SC27 a reported RTT is refused below 1 ms per 100 km of distance between the two peers", () => {
    const mesh = new TestMesh({ config: { place: { latitude: 0, longitude: 0 } } });
    const a = mesh.join(A, { place: { latitude: 0, longitude: 0 } });
    mesh.join(B, { place: { latitude: 0, longitude: 90 } });
    reportRtts(a, [[B.id, 99]]);
    expect(getRtt(mesh, A.id, B.id).observed).toBe(false);
    reportRtts(a, [[B.id, 101]]);
    expect(getRtt(mesh, A.id, B.id).observed_ms).toBe(101);
  });

  test("SC27 the newest reported RTTs of each peer are kept, up to a limit", () => {
    const mesh = new TestMesh({ config: { peersMax: 1_000 } });
    const a = mesh.join(A);
    const others = Array.from(
      { length: RTT_PAIRS_PER_PEER_MAX + 8 },
      (_, n) => mesh.join(testKey(900 + n)).id,
    );
    for (let from = 0; from < others.length; from += 8) {
      reportRtts(
        a,
        others.slice(from, from + 8).map((id) => [id, 20] as const),
      );
      mesh.now += RTT_REPORT_INTERVAL;
    }
    const kept = others.map((id) => getRtt(mesh, A.id, id).observed);
    expect(kept.filter(Boolean)).toHaveLength(RTT_PAIRS_PER_PEER_MAX);
    expect(kept.slice(0, 8)).toEqual(Array(8).fill(false));
  });

  test("SC27 reported RTTs move with a peer to its rotated key, and are removed when the peer is forgotten", () => {
    const mesh = new TestMesh();
    const [a] = [mesh.join(A, { protocol: "muster/2" }), mesh.join(B)];
    reportRtts(a, [[B.id, 12]]);
    const newPublicKey = testKey(700).publicKey;
    const moved = peerIdOf(hexBytes(newPublicKey));
    mesh.run("rotate_peer", { peerId: A.id, epoch: a.epoch, newPeerId: moved, newPublicKey });
    expect(getRtt(mesh, moved, B.id).observed_ms).toBe(12);
    expect(getRtt(mesh, A.id, B.id)).toMatchObject({ peer_id: moved, observed_ms: 12 });
    mesh.run("forget_peer", { id: moved });
    mesh.join(testKey(700), { protocol: "muster/2" });
    expect(getRtt(mesh, moved, B.id).observed).toBe(false);
  });
});
