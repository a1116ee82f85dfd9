import { describe, expect, test } from "vitest";
import { DAY, MINUTE } from "../../../src/base/clock.ts";
import { openRegistry } from "../../../src/registry/registry.ts";
import { KEYS, TestMesh } from "../mesh.ts";

const [A, B] = KEYS;
const LONDON = { latitude: 51.5074, longitude: -0.1278 };
const NEW_YORK = { latitude: 40.7128, longitude: -74.006 };

const scoreOf = (mesh: TestMesh, id: string) => mesh.run("get_score", { id });

function report(mesh: TestMesh, peer: ReturnType<TestMesh["join"]>, hops: number): void {
  const { id: peerId, epoch } = peer;
  mesh.run("announce", { peerId, epoch, announced: { route: { hops, tool: "traceroute" } } });
}

describe("hops", () => {
  test("SC15 peers without a report have 1 with low confidence and the score of a peer without hops", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A, { rttMs: 100 });
    expect(scoreOf(mesh, A.id).factors.hops).toMatchObject({
      raw: 1,
      normalised: 0.5,
      known: 0.1,
      samples: 0,
      source: "not measured; a direct session",
    });
    expect(peer.view.hops).toBe(1);
  });

  test("SC16 a reported path is shown, scored and stored with the peer", () => {
    const mesh = new TestMesh();
    const [near, far] = [mesh.join(A, { rttMs: 100 }), mesh.join(B, { rttMs: 100 })];
    const before = near.view.score;
    report(mesh, near, 9);
    report(mesh, far, 25);
    expect(near.view.hops).toBe(9);
    expect(near.view.score).toBeGreaterThan(before);
    expect(far.view.score).toBeLessThan(before);
    mesh.now += MINUTE;
    expect(scoreOf(mesh, A.id).factors.hops).toMatchObject({
      raw: 9,
      known: 0.5,
      samples: 1,
      age_seconds: 60,
      source: "traceroute reported by the peer, 9",
    });
    for (const { id } of [A, B])
      expect(mesh.registry.peers.get(id)?.score).toBeCloseTo(scoreOf(mesh, id).score, 12);
  });

  test("SC16 a claim of one hop at 200 ms counts as 8, and the explanation says so", () => {
    const mesh = new TestMesh();
    const liar = mesh.join(A, { rttMs: 200 });
    report(mesh, liar, 1);
    expect(liar.view.hops).toBe(8);
    const { source } = scoreOf(mesh, A.id).factors.hops;
    expect(source).toBe("traceroute reported by the peer, 8 (bounded from 1)");
  });

  test("SC16 a second report within a minute is ignored", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A, { rttMs: 100 });
    report(mesh, peer, 14);
    report(mesh, peer, 9);
    expect(peer.view.hops).toBe(14);
    mesh.now += MINUTE;
    report(mesh, peer, 9);
    expect(peer.view.hops).toBe(9);
  });

  test("SC16 a report survives a new session and a wake, and says nothing after a week", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A, { rttMs: 100 });
    report(mesh, peer, 9);
    peer.leave();
    peer.join({ rttMs: 100 });
    mesh.registry.measurements.flush();
    mesh.registry = openRegistry(mesh.sql);
    expect(scoreOf(mesh, A.id).factors.hops.raw).toBe(9);
    mesh.now += 8 * DAY;
    peer.join({ rttMs: 100 });
    expect(scoreOf(mesh, A.id).factors.hops).toMatchObject({ raw: 1, normalised: 0.5 });
    expect(peer.view.hops).toBe(1);
  });
});

describe("the sources of a score", () => {
  test("SC17 of a new peer say what was measured and what was not", () => {
    const mesh = new TestMesh();
    mesh.join(A, { rttMs: 100 });
    const { latency, reliability, distance } = scoreOf(mesh, A.id).factors;
    expect(latency.source).toBe("the session's handshake, 1 sample");
    expect(reliability.source).toBe("no outcome yet; connected 100 % of the time");
    expect(distance.source).toBe(
      "unknown: the mesh has no location (MESH_LATITUDE, MESH_LONGITUDE)",
    );
  });

  test("SC17 name the platform or the database that located the address, with its age", () => {
    const mesh = new TestMesh({ config: { place: LONDON } });
    mesh.join(A, { rttMs: 100, place: NEW_YORK });
    mesh.join(B, { rttMs: 100, place: NEW_YORK, placeSource: "City Lite of 2026-01-01" });
    mesh.now += MINUTE;
    expect(scoreOf(mesh, A.id).factors.distance).toMatchObject({
      source: "the peer's address, located by the platform",
      age_seconds: 60,
    });
    expect(scoreOf(mesh, B.id).factors.distance.source).toBe(
      "the peer's address, located by City Lite of 2026-01-01",
    );
  });

  test("SC17 of a peer whose address was not located say so", () => {
    const mesh = new TestMesh({ config: { place: LONDON } });
    mesh.join(A, { rttMs: 100 });
    expect(scoreOf(mesh, A.id).factors.distance.source).toBe(
      "unknown: the peer's address was not located",
    );
  });

  test("SC17 of a round trip that was refused name what choices assume instead", () => {
    const mesh = new TestMesh({ config: { place: LONDON } });
    mesh.join(A, { rttMs: 5, place: NEW_YORK, tcpRttMs: 12 });
    expect(scoreOf(mesh, A.id).factors.latency).toMatchObject({
      raw: null,
      source: "not measured; choices assume 55.7 ms from the connection's TCP RTT",
    });
  });

  test("SC17 count outcomes after decay", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    mesh.submit();
    peer.finish();
    expect(scoreOf(mesh, A.id).factors.reliability.source).toMatch(
      /^outcomes of attempts, 1 after decay; connected 100 % of the time$/,
    );
  });
});
