import { describe, expect, test } from "vitest";
import { DAY, HOUR, MINUTE } from "../../../src/base/clock.ts";
import type { AdvertisedPeer } from "../../../src/peers/advertised-peer.ts";
import {
  SAMPLE_POINTERS_MAX,
  ADVERTISED_PER_PEER_MAX,
  ADVERTISED_MAX,
  ADVERTISED_RETENTION,
} from "../../../src/protocol/constants.ts";
import type { PeerView } from "../../../src/protocol/http.ts";
import type { Role } from "../../../src/protocol/messages.ts";
import type { Sql } from "../../../src/registry/sql.ts";
import { present } from "../../must.ts";
import { nodeSql } from "../../node-sql.ts";
import { KEYS, START, testKey, TestMesh, type Key, type TestPeer } from "../mesh.ts";

const [A, B, C, D] = KEYS;

const advertOf = ({ id, publicKey }: Key, more: Partial<AdvertisedPeer> = {}): AdvertisedPeer => ({
  peerId: id,
  publicKey,
  address: "",
  role: "worker",
  rttMs: null,
  ...more,
});

/** The key of a peer that does not exist. Adverts are not proved, so the ID need not belong to the key. */
const madeUpKey = (n: number): Key => ({
  id: n.toString(16).padStart(32, "0"),
  publicKey: n.toString(16).padStart(64, "0"),
});

function advertise(advertiser: TestPeer, ...adverts: readonly AdvertisedPeer[]): readonly string[] {
  const { mesh, id: peerId, epoch } = advertiser;
  return mesh.run("hear_advert", { peerId, epoch, peers: adverts }).pointers;
}

const advertiseKeys = (advertiser: TestPeer, ...keys: readonly Key[]): readonly string[] =>
  advertise(advertiser, ...keys.map((key) => advertOf(key)));

function discoveredPeers(mesh: TestMesh): readonly PeerView[] {
  const { peers } = mesh.run("list_peers", { limit: 500, state: "discovered" });
  return peers;
}
const discoveredIds = (mesh: TestMesh) => discoveredPeers(mesh).map(({ id }) => id);

describe("a peer that another peer advertises", () => {
  test("GS2 an advertised peer is listed as discovered, with its advertiser, the advertiser's RTT and one hop more", () => {
    const mesh = new TestMesh();
    const advertiser = mesh.join(A);
    advertise(
      advertiser,
      advertOf(B, { address: "wss://198.51.100.7:9091", role: "dual", rttMs: 12.5 }),
    );
    const view = mesh.run("get_peer", { id: B.id });
    expect(view).toMatchObject({
      id: B.id,
      public_key: B.publicKey,
      state: "discovered",
      connected: false,
      address: "wss://198.51.100.7:9091",
      role: "dual",
      hops: 2,
      ping_ms: null,
      last_seen: null,
      added_at: new Date(START).toISOString(),
      told_by: { peer_id: A.id, ping_ms: 12.5 },
    });
    expect(discoveredPeers(mesh)).toEqual([view]);
    const { peers } = mesh.run("list_peers", { limit: 9 });
    expect(peers.map(({ id }) => id)).toEqual([A.id, B.id].toSorted());
    expect(mesh.run("list_peers", { limit: 9, role: "worker" }).peers).toHaveLength(1);
  });

  test("HT5 the pages of the list of peers contain advertised peers, each once", () => {
    const mesh = new TestMesh();
    const advertiser = mesh.join(A);
    for (const key of [B, C]) mesh.join(key);
    advertiseKeys(advertiser, D, ...[1, 2, 3, 4].map(madeUpKey));
    const seen: string[] = [];
    for (let cursor: string | undefined; ;) {
      const page = mesh.run("list_peers", { limit: 3, cursor });
      seen.push(...page.peers.map(({ id }) => id));
      if (page.next_cursor === null) break;
      cursor = page.next_cursor;
    }
    const all = [A, B, C, D, ...[1, 2, 3, 4].map(madeUpKey)].map(({ id }) => id);
    expect(seen).toEqual(all.toSorted());
  });

  test("GS3 a peer that has proved its key has its own record, and adverts do not change it", () => {
    const mesh = new TestMesh();
    const advertiser = mesh.join(A);
    advertise(advertiser, advertOf(B, { address: "elsewhere", role: "controller", rttMs: 1 }));
    const peer = mesh.join(B, { address: "203.0.113.7" });
    const record = peer.view;
    expect(record).toMatchObject({ state: "active", hops: 1, address: "203.0.113.7" });
    expect(record).not.toHaveProperty("told_by");
    mesh.advanceClock(DAY / 2);
    advertise(advertiser, advertOf(B, { address: "elsewhere", role: "controller", rttMs: 1 }));
    expect(peer.view).toEqual(record);
    peer.leave();
    advertise(advertiser, advertOf(B, { address: "elsewhere" }));
    expect(peer.view).toEqual({ ...record, state: "stale", connected: false });
    expect(discoveredPeers(mesh)).toEqual([]);
  });

  test("GS4 an advertised peer gets no task, does not count against the peer limit and has no pointer", () => {
    const mesh = new TestMesh({ config: { peersMax: 2 } });
    const advertiser = mesh.join(A, { claimedRole: "controller" });
    advertiseKeys(advertiser, B, C, D);
    const { id } = mesh.submit();
    const named = mesh.submit({ kind: "echo", requirements: { peer_id: B.id } });
    mesh.tick();
    expect(mesh.task(id).state).toBe("queued");
    expect(mesh.task(named.id).state).toBe("queued");
    expect(mesh.rows("SELECT peer_id FROM pointers")).toEqual([{ peer_id: A.id }]);
    expect(mesh.registry.roster.size).toBe(1);
    expect(mesh.join(B).offers.map(({ task_id }) => task_id)).toEqual([id]);
  });

  test("GS4 an advertised peer still needs its own proof and the allowlist to be admitted", () => {
    const mesh = new TestMesh({ config: { authMode: "allowlist" } });
    const entry = { publicKey: A.publicKey, peerId: A.id, label: "", roles: ["worker"] as Role[] };
    mesh.run("allow", { ...entry, readmit: false, go_p2p: false });
    advertiseKeys(mesh.join(A), B);
    const unmet = mesh.join.bind(mesh, B);
    expect(unmet).toThrow("not_allowed");
  });

  test("GS6 the advert of the nearest advertiser counts, whichever came first", () => {
    const mesh = new TestMesh();
    const [far, near] = [mesh.join(A), mesh.join(B)];
    mesh.registry.peers.put({ ...present(mesh.registry.peers.get(far.id)), hops: 4 });
    advertise(far, advertOf(C, { address: "far" }));
    expect(mesh.run("get_peer", { id: C.id })).toMatchObject({ hops: 5, address: "far" });
    mesh.advanceClock(MINUTE);
    advertise(near, advertOf(C, { address: "near" }));
    const nearest = { hops: 2, address: "near", told_by: { peer_id: B.id } };
    expect(discoveredPeers(mesh)).toMatchObject([nearest]);
    mesh.advanceClock(7 * HOUR);
    advertise(far, advertOf(C, { address: "far" }));
    expect(mesh.run("get_peer", { id: C.id })).toMatchObject(nearest);
  });

  test("GS6 of equally near advertisers the first one counts", () => {
    const mesh = new TestMesh();
    const [first, second] = [mesh.join(B), mesh.join(A)];
    advertise(first, advertOf(C, { address: "first" }));
    mesh.advanceClock(1);
    advertise(second, advertOf(C, { address: "second" }));
    expect(discoveredPeers(mesh)).toMatchObject([{ address: "first", told_by: { peer_id: B.id } }]);
  });

  test("GS9 an advertised peer is removed a day after its last advert, and within the hour, by the coordinator's alarm", () => {
    const mesh = new TestMesh();
    const advertiser = mesh.join(A);
    advertiseKeys(advertiser, B, C);
    mesh.runFor(DAY / 2);
    advertiseKeys(advertiser, C);
    expect(mesh.nextTick()).toBeLessThanOrEqual(START + ADVERTISED_RETENTION + HOUR);
    mesh.runFor(DAY / 2 + HOUR);
    expect(discoveredIds(mesh)).toEqual([C.id]);
    mesh.runFor(DAY / 2);
    expect(discoveredIds(mesh)).toEqual([]);
    expect(mesh.rows("SELECT * FROM advertised_peers")).toEqual([]);
  });

  test("GS9 a repeated advert within six hours writes no row", () => {
    const mesh = new TestMesh();
    const advertiser = mesh.join(A);
    advertiseKeys(advertiser, B);
    const before = mesh.contents();
    mesh.advanceClock(5 * HOUR);
    advertise(advertiser, advertOf(B, { address: "elsewhere" }));
    expect(mesh.contents()).toBe(before);
    mesh.advanceClock(HOUR);
    advertise(advertiser, advertOf(B, { address: "elsewhere" }));
    expect(discoveredPeers(mesh)).toMatchObject([
      { address: "elsewhere", added_at: new Date(START).toISOString() },
    ]);
  });
});

describe("adverts that are ignored", () => {
  test("GS3 adverts of the advertiser itself, of the mesh's keys and from an older session are ignored", () => {
    const mesh = new TestMesh({ config: { meshIds: [C.id, D.id] } });
    const advertiser = mesh.join(A);
    advertiseKeys(advertiser, A, C, D);
    const { peerId, epoch } = { peerId: advertiser.id, epoch: advertiser.epoch };
    advertiser.join();
    expect(mesh.run("hear_advert", { peerId, epoch, peers: [advertOf(B)] }).pointers).toEqual([]);
    expect(mesh.rows("SELECT * FROM advertised_peers")).toEqual([]);
  });

  test("GS3 adverts of revoked, rotated and removed keys are ignored", () => {
    const mesh = new TestMesh();
    const advertiser = mesh.join(A);
    const [revoked, rotated, removed] = [mesh.join(B), mesh.join(C), mesh.join(D)];
    mesh.run("revoke_peer", { id: revoked.id });
    const next = testKey(900);
    const renewal = { newPeerId: next.id, newPublicKey: next.publicKey };
    mesh.run("rotate_peer", { peerId: rotated.id, epoch: rotated.epoch, ...renewal });
    mesh.run("forget_peer", { id: removed.id });
    advertiseKeys(advertiser, B, C, D, next);
    expect(mesh.rows("SELECT * FROM advertised_peers")).toEqual([]);
  });

  test("GS3 an advert of a key does not keep a peer from rotating to that key", () => {
    const mesh = new TestMesh();
    const advertiser = mesh.join(A);
    const peer = mesh.join(B);
    advertiseKeys(advertiser, C);
    const { id: newPeerId, publicKey: newPublicKey } = C;
    mesh.run("rotate_peer", { peerId: B.id, epoch: peer.epoch, newPeerId, newPublicKey });
    expect(discoveredPeers(mesh)).toEqual([]);
    expect(mesh.run("get_peer", { id: C.id }).state).toBe("stale");
  });
});

describe("the operator's commands", () => {
  test("GS9 revoking or forgetting an advertiser removes its adverts", () => {
    const mesh = new TestMesh();
    const [revoked, removed] = [mesh.join(A), mesh.join(B)];
    advertiseKeys(revoked, C);
    advertiseKeys(removed, D);
    mesh.run("revoke_peer", { id: A.id });
    expect(discoveredIds(mesh)).toEqual([D.id]);
    mesh.run("forget_peer", { id: B.id });
    expect(discoveredIds(mesh)).toEqual([]);
  });

  test("GS3 the operator can revoke a peer that is known only from adverts", () => {
    const mesh = new TestMesh();
    const advertiser = mesh.join(A);
    advertiseKeys(advertiser, B);
    expect(mesh.run("revoke_peer", { id: B.id })).toMatchObject({ id: B.id, state: "revoked" });
    advertiseKeys(advertiser, B);
    expect(discoveredPeers(mesh)).toEqual([]);
    expect(mesh.join.bind(mesh, B)).toThrow("revoked");
  });

  test("GS3 a forgotten peer that was known only from adverts is not advertised again, and may still join", () => {
    const mesh = new TestMesh();
    const advertiser = mesh.join(A);
    advertiseKeys(advertiser, B);
    mesh.run("forget_peer", { id: B.id });
    advertiseKeys(advertiser, B);
    expect(discoveredPeers(mesh)).toEqual([]);
    expect(mesh.errorOf("get_peer", { id: B.id }).code).toBe("not_found");
    expect(mesh.join(B).view.state).toBe("active");
  });
});

describe("limits of adverts", () => {
  test("GS5 the number of advertised peers per advertiser is limited; the newest are kept", () => {
    const mesh = new TestMesh();
    const [advertiser, other] = [mesh.join(A), mesh.join(B)];
    advertiseKeys(other, C);
    for (let round = 0; round < 4; round++) {
      mesh.advanceClock(MINUTE);
      advertiseKeys(advertiser, ...Array.from({ length: 32 }, (_, n) => madeUpKey(32 * round + n)));
    }
    const ids = discoveredIds(mesh);
    expect(ids).toHaveLength(ADVERTISED_PER_PEER_MAX + 1);
    expect(ids).toContain(C.id);
    expect(ids).not.toContain(madeUpKey(63).id);
    for (const n of [64, 127]) expect(ids).toContain(madeUpKey(n).id);
  });

  test("GS5 the number of advertised peers in all is limited; the newest are kept", () => {
    const mesh = new TestMesh();
    const [first, last] = [mesh.join(A), mesh.join(B)];
    advertiseKeys(first, C);
    mesh.advanceClock(1);
    const times = { hops: 2, advertisedAt: mesh.now, heardAt: mesh.now };
    mesh.registry.transaction(() => {
      for (let n = 0; n < ADVERTISED_MAX - 1; n++) {
        const { id: advertiser } = madeUpKey(1_000_000 + n);
        mesh.registry.advertisedPeers.put({
          ...advertOf(madeUpKey(n)),
          ...times,
          advertiser,
        });
      }
    });
    mesh.advanceClock(1);
    advertiseKeys(last, D);
    expect(mesh.rows("SELECT COUNT(*) AS rows FROM advertised_peers")).toEqual([
      { rows: ADVERTISED_MAX },
    ]);
    expect(mesh.errorOf("get_peer", { id: C.id }).code).toBe("not_found");
    expect(mesh.run("get_peer", { id: D.id }).state).toBe("discovered");
  });

  test("GS5 a peer that one advert names twice counts once", () => {
    const mesh = new TestMesh();
    advertise(mesh.join(A), advertOf(B, { address: "one" }), advertOf(B, { address: "two" }));
    expect(discoveredPeers(mesh)).toMatchObject([{ address: "two" }]);
  });
});

describe("the sample of pointers that answers an advert", () => {
  const pointerOf = (mesh: TestMesh, { id }: Key) =>
    mesh.registry.pointers.ofPeer(id)[0]?.id ?? `no pointer of ${id}`;

  test("GS7 in a small mesh the sample contains the pointers of all other active peers", () => {
    const mesh = new TestMesh();
    const advertiser = mesh.join(A);
    expect(advertiseKeys(advertiser)).toEqual([]);
    for (const key of [B, C]) mesh.join(key);
    mesh.join(D).observe("missed_answer");
    expect(advertiseKeys(advertiser).toSorted()).toEqual(
      [B, C].map((key) => pointerOf(mesh, key)).toSorted(),
    );
  });

  test("GS7 in a large mesh the sample has sixteen different pointers, never the receiver's own, and in time contains every peer's", () => {
    const mesh = new TestMesh();
    const advertiser = mesh.join(A);
    const others = Array.from({ length: 40 }, (_, n) => mesh.join(testKey(1_000 + n)));
    // The pointer IDs of the test mesh are replaced by IDs that are spread over the whole range, as real ones are.
    for (const { pointer_id, peer_id } of mesh.rows(
      "SELECT id AS pointer_id, peer_id FROM pointers",
    ))
      mesh.sql.exec(
        `UPDATE pointers SET id = ? WHERE id = ?`,
        String(peer_id).split("").toReversed().join(""),
        String(pointer_id),
      );
    const seen = new Set<string>();
    for (let round = 0; round < 60; round++) {
      const sample = advertiseKeys(advertiser);
      expect(sample).toHaveLength(SAMPLE_POINTERS_MAX);
      expect(new Set(sample).size).toBe(SAMPLE_POINTERS_MAX);
      for (const id of sample) seen.add(id);
    }
    expect([...seen].toSorted()).toEqual(others.map(({ key }) => pointerOf(mesh, key)).toSorted());
  });

  test("GS7 the sample is read through an index, never by a scan over all pointers", () => {
    const plans: string[] = [];
    const sql = nodeSql();
    const exec: Sql["exec"] = (query, ...bindings) => {
      if (query.includes("AS near"))
        for (const { detail } of sql.exec(`EXPLAIN QUERY PLAN ${query}`, ...bindings))
          plans.push(String(detail));
      return sql.exec(query, ...bindings);
    };
    advertiseKeys(new TestMesh({ sql: { ...sql, exec } }).join(A));
    expect(plans.length).toBeGreaterThan(0);
    expect(plans.filter((plan) => /SCAN pointers|SCAN peers|TEMP B-TREE/.test(plan))).toEqual([]);
  });
});
