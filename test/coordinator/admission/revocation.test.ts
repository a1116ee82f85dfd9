import { describe, expect, test } from "vitest";
import { DAY } from "../../../src/base/clock.ts";
import type { PeerId } from "../../../src/protocol/ids.ts";
import { KEYS, testKey, TestMesh, TestPeer, type Key } from "../mesh.ts";

const [A, B] = KEYS;

const allow = (mesh: TestMesh, { id, publicKey }: Key): void =>
  void mesh.run("allow", {
    publicKey,
    peerId: id,
    label: "",
    roles: ["worker"],
    readmit: false,
    go_p2p: false,
  });

const rotate = (mesh: TestMesh, peer: TestPeer, to: Key): TestPeer => {
  const { id: peerId, epoch } = peer;
  mesh.run("rotate_peer", { peerId, epoch, newPeerId: to.id, newPublicKey: to.publicKey });
  return mesh.join(to);
};

const refusalOf = (mesh: TestMesh, key: Key): string =>
  mesh.errorOf("admit", new TestPeer(mesh, key).admitInput()).code;

/** How a key may come to have no record. */
const WITHOUT_RECORD: Readonly<Record<string, (mesh: TestMesh) => void>> = {
  "that never came": () => {},
  "that was listed and never came": (mesh) => allow(mesh, A),
  "of a peer that was forgotten": (mesh) => {
    mesh.join(A);
    mesh.run("forget_peer", { id: A.id });
  },
  "of a peer that was evicted": (mesh) => {
    mesh.join(A).leave();
    mesh.runFor(31 * DAY);
  },
  "of a peer that was only advertised": (mesh) => {
    const advertiser = mesh.join(B);
    const peers = [
      { peerId: A.id, publicKey: A.publicKey, address: "", role: "worker", rttMs: 1 },
    ] as const;
    mesh.run("hear_advert", { peerId: B.id, epoch: advertiser.epoch, peers });
  },
};

describe("revoking a key without a record", () => {
  test.for(Object.keys(WITHOUT_RECORD))(
    "AD30 bars the key %s when it comes, in both modes and after a restart",
    (how) => {
      const mesh = new TestMesh();
      WITHOUT_RECORD[how]?.(mesh);
      const revoked = mesh.run("revoke_peer", { id: A.id });
      expect(revoked).toMatchObject({ id: A.id, state: "revoked", known: false });
      for (const mode of ["open", "allowlist"] as const) {
        mesh.run("set_auth_mode", { mode });
        expect(refusalOf(mesh, A)).toBe("revoked");
      }
      mesh.restart();
      expect(refusalOf(mesh, A)).toBe("revoked");
    },
  );

  test("AD30 a join key does not admit the barred key, and is not used up by it", () => {
    const mesh = new TestMesh({ config: { authMode: "allowlist" } });
    const wanted = { label: "", roles: ["worker" as const], uses: 1, expires_seconds: 60 };
    const { key: joinKey } = mesh.run("create_join_key", wanted);
    mesh.run("revoke_peer", { id: A.id });
    const shown = { joinKey, protocol: "muster/2" } as const;
    expect(mesh.errorOf("admit", new TestPeer(mesh, A).admitInput(shown)).code).toBe("revoked");
    expect(mesh.join(B, shown).view.state).toBe("active");
  });

  test("AD30 a key that is named itself is listed with its ID, one that is named by its ID without the key", () => {
    const mesh = new TestMesh();
    mesh.run("revoke_peer", { id: A.id, publicKey: A.publicKey });
    mesh.run("revoke_peer", { id: B.id });
    const keys = mesh.run("list_denied", { limit: 9 }).entries.map((entry) => entry.public_key);
    expect(new Set(keys)).toEqual(new Set([A.publicKey, null]));
  });
});

describe("the denylist", () => {
  test("AD31 shows what is barred, why, since when and by whom, the newest first, in pages", () => {
    const mesh = new TestMesh();
    const keys = Array.from({ length: 7 }, (_, i) => testKey(600 + i));
    const ids: PeerId[] = [];
    for (const [index, key] of keys.entries()) {
      if (index % 2 === 0) mesh.advanceClock(1_000); // some entries have the same time
      mesh.run("revoke_peer", { id: key.id });
      ids.push(key.id);
    }
    const next = testKey(620);
    rotate(mesh, mesh.join(A), next);
    const seen: PeerId[] = [];
    let cursor: string | undefined;
    do {
      const page = mesh.run("list_denied", { limit: 2, cursor });
      seen.push(...page.entries.map((entry) => entry.peer_id));
      cursor = page.next_cursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toHaveLength(8);
    expect(new Set(seen)).toEqual(new Set([...ids, A.id]));
    const { entries } = mesh.run("list_denied", { limit: 9, reason: "rotated" });
    expect(entries).toMatchObject([{ peer_id: A.id, rotated_to: next.id, reason: "rotated" }]);
    const [first] = mesh.run("list_denied", { limit: 1, reason: "revoked" }).entries;
    expect(first).toMatchObject({
      denied_by: "admin",
      denied_at: expect.any(String),
      rotated_to: null,
    });
    expect(mesh.errorOf("list_denied", { limit: 1, cursor: "x" }).code).toBe("invalid_request");
  });

  test("AD31 a lifted revocation lets the key join as the mode and its entry say, and a rotated key stays barred", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    for (const { id } of [A, B]) mesh.run("revoke_peer", { id });
    for (const { id } of [A, B]) mesh.run("lift_denial", { id });
    expect(peer.view.state).toBe("stale");
    for (const key of [A, B]) expect(mesh.join(key).view.state).toBe("active");
    expect(mesh.errorOf("lift_denial", { id: B.id }).code).toBe("not_found");
    const next = testKey(7);
    rotate(mesh, mesh.join(A), next);
    expect(mesh.errorOf("lift_denial", { id: A.id }).code).toBe("conflict");
  });

  test("AD31 revoking and lifting are in the audit log", () => {
    const mesh = new TestMesh();
    mesh.run("revoke_peer", { id: A.id });
    mesh.run("lift_denial", { id: A.id });
    const { entries } = mesh.run("list_audit", { limit: 9, subject: A.id });
    expect(entries.map(({ act, detail }) => [act, detail])).toEqual([
      ["lift_denial", {}],
      ["revoke_peer", { known: false, rotated_from: null, keep_tasks: false }],
    ]);
  });
});

describe("revoking a peer by an ID that it had before a rotation", () => {
  /** A peer that has rotated its key this often. */
  function rotated(mesh: TestMesh, times: number): readonly TestPeer[] {
    const peers = [mesh.join(A)];
    for (let i = 0; i < times; i++)
      peers.push(rotate(mesh, peers.at(-1) as TestPeer, testKey(700 + i)));
    return peers;
  }

  test.for([
    [1, 0],
    [3, 0],
    [1, 31],
    [3, 31],
  ] as const)(
    "AD32 revokes the peer that it leads to, after %s rotations and %s days",
    ([times, days]) => {
      const mesh = new TestMesh();
      const peers = rotated(mesh, times);
      const last = peers.at(-1) as TestPeer;
      mesh.runFor(days * DAY);
      if (days > 0) last.join();
      const answer = mesh.run("revoke_peer", { id: A.id });
      expect(answer).toMatchObject({
        id: last.id,
        state: "revoked",
        rotated_from: A.id,
        known: true,
      });
      expect(last.endFault).toMatchObject({ code: "revoked" });
      expect(refusalOf(mesh, last.key)).toBe("revoked");
      const [entry] = mesh.run("list_audit", { limit: 1, act: "revoke_peer" }).entries;
      expect(entry).toMatchObject({ subject: last.id, detail: { rotated_from: A.id } });
    },
  );

  test("AD32 bars the newest key also when its peer was forgotten", () => {
    const mesh = new TestMesh();
    const [, , last] = rotated(mesh, 2) as [TestPeer, TestPeer, TestPeer];
    mesh.run("forget_peer", { id: last.id });
    expect(mesh.run("revoke_peer", { id: A.id })).toMatchObject({ id: last.id, known: false });
    expect(refusalOf(mesh, last.key)).toBe("revoked");
  });

  test("AD32 an entry of an older version whose rotation led to an unknown key is a conflict, which says so", () => {
    const mesh = new TestMesh();
    rotated(mesh, 1);
    mesh.sql.exec("UPDATE denylist SET rotated_to = NULL");
    mesh.sql.exec("DELETE FROM aliases");
    expect(mesh.errorOf("revoke_peer", { id: A.id })).toMatchObject({ code: "conflict" });
  });
});
