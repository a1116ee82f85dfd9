import { describe, expect, test } from "vitest";
import { fromHex } from "../../../src/base/bytes.ts";
import { DAY, HOUR, MINUTE } from "../../../src/base/clock.ts";
import { x25519PublicKey } from "../../../src/crypto/primitives.ts";
import { pointerIdOf, readerToken } from "../../../src/discovery/epoch-secrets.ts";
import { EPOCH_INTERVAL_MIN, EPOCH_ROTATION_INTERVAL } from "../../../src/protocol/constants.ts";
import type { DiscoveryKeys } from "../../../src/protocol/discovery.ts";
import { hexBytes, present } from "../../must.ts";
import type { Announced } from "../announced.ts";
import { KEYS, testKey, TestMesh } from "../mesh.ts";

const [A, B, C, D] = KEYS;
const MUSTER_2: Announced = { protocol: "muster/2" };

/** Whether one of these discovery keys opens records that are sealed to the public key. */
const canOpen = (keys: DiscoveryKeys | undefined, publicKey: Uint8Array): boolean =>
  (keys?.epochs ?? []).some(({ private_key }) =>
    x25519PublicKey(hexBytes(private_key)).every((byte, i) => byte === publicKey[i]),
  );

const epochNumbers = (mesh: TestMesh) =>
  mesh.registry.discoveryEpochs.list().map(({ epoch }) => epoch);
const allowPeer = (mesh: TestMesh, { id, publicKey }: typeof A) =>
  mesh.run("allow", {
    publicKey,
    peerId: id,
    label: "",
    roles: ["worker"],
    readmit: false,
    go_p2p: false,
  });

describe("the keys of a discovery epoch", () => {
  test("DS7 members get the discovery keys in the muster.2 welcome, and the keys open every published record", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A, MUSTER_2);
    expect(peer.discovery?.epochs).toHaveLength(1);
    mesh.join(B);
    for (const { publicKey } of mesh.publications)
      expect(canOpen(peer.discovery, publicKey)).toBe(true);
    expect(mesh.discoveryKeys()).toEqual(peer.discovery);
  });

  test("DS7 the discovery keys are never sent over go-p2p 1.0, which has no forward secrecy", () => {
    expect(new TestMesh().join(A).discovery).toBeUndefined();
  });

  test.for([
    ["listed", false, true],
    ["all", true, true],
    ["none", false, false],
  ] as const)(
    "DS7 only the configured members get the discovery keys: %s",
    ([members, any, listed]) => {
      const mesh = new TestMesh();
      const config = { ...mesh.config.discovery, members };
      const chosen = new TestMesh({ config: { discovery: config } });
      allowPeer(chosen, A);
      expect(chosen.join(A, MUSTER_2).discovery !== undefined).toBe(listed);
      expect(chosen.join(B, MUSTER_2).discovery !== undefined).toBe(any);
    },
  );

  test("DS11 a pointer's ID is derived from the epoch's secret and the peer's ID, so that members find it", () => {
    const mesh = new TestMesh();
    const { discovery } = mesh.join(A, MUSTER_2);
    const secret = hexBytes(present(discovery?.epochs[0]).pointer_secret);
    expect(mesh.pointers.map(({ id }) => id)).toEqual([pointerIdOf(secret, A.id)]);
  });

  test("DS6 the database contains the epoch's keys only in sealed form", () => {
    const mesh = new TestMesh();
    const [keys] = mesh.join(A, MUSTER_2).discovery?.epochs ?? [];
    for (const secret of [keys?.private_key, keys?.pointer_secret])
      expect(mesh.contents()).not.toContain(secret);
  });

  test("DS6 a changed discovery root key starts a new epoch, and the old epoch's keys are no longer used", () => {
    const mesh = new TestMesh();
    mesh.join(A, MUSTER_2);
    const discovery = { ...mesh.config.discovery, rootKey: new Uint8Array(32).fill(9) };
    const other = new TestMesh({ sql: mesh.sql, config: { discovery } });
    other.advanceClock(EPOCH_INTERVAL_MIN);
    expect(other.discoveryKeys().epochs.map(({ epoch }) => epoch)).toEqual([2]);
  });

  test("DS6 an epoch's keys are erased when none of its records can be found any more", () => {
    const mesh = new TestMesh();
    mesh.join(A);
    const [sealed] = mesh.registry.discoveryEpochs.list();
    mesh.runFor(EPOCH_ROTATION_INTERVAL + MINUTE);
    expect(epochNumbers(mesh)).toEqual([2]);
    expect(mesh.contents()).not.toContain(present(sealed).sealed);
  });
});

describe("revoking a member", () => {
  /** A mesh in which one of two members loses its access, an hour after the epoch began. */
  function afterRevocation(revoke: (mesh: TestMesh) => void) {
    const mesh = new TestMesh();
    const leaver = mesh.join(A, MUSTER_2);
    mesh.join(B, MUSTER_2);
    mesh.runFor(HOUR);
    revoke(mesh);
    return { mesh, oldKeys: present(leaver.discovery), before: mesh.publications.length };
  }

  test("DS8 revoking a member starts a new epoch whose keys it never gets", () => {
    const { mesh, oldKeys, before } = afterRevocation((on) => on.run("revoke_peer", { id: A.id }));
    const c = mesh.join(C, MUSTER_2);
    mesh.runFor(DAY);
    mesh.join(D, MUSTER_2);
    const after = mesh.publications.slice(before);
    expect(after.length).toBeGreaterThan(2);
    for (const { publicKey } of after) {
      expect(canOpen(oldKeys, publicKey)).toBe(false);
    }
    expect(canOpen(c.discovery, present(after[0]).publicKey)).toBe(true);
  });

  test("DS8 after a revocation the records are resealed in the background, and their pointers change together", () => {
    const { mesh, oldKeys } = afterRevocation((on) => on.run("revoke_peer", { id: A.id }));
    expect(mesh.pointers.map(({ epoch }) => epoch)).toEqual([1]);
    mesh.runFor(2 * MINUTE);
    expect(mesh.pointers.map(({ epoch }) => epoch)).toEqual([2]);
    expect(canOpen(oldKeys, present(mesh.publications.at(-1)).publicKey)).toBe(false);
    expect(epochNumbers(mesh)).toEqual([2]);
  });

  test("DS8 a revoked member's reader token is refused at once", () => {
    const { mesh, oldKeys } = afterRevocation((on) => on.run("revoke_peer", { id: A.id }));
    const reads = (keys: DiscoveryKeys) =>
      keys.epochs.map(({ pointer_secret }) => {
        const reader = readerToken(fromHex(pointer_secret) as Uint8Array);
        const unknownCredential = { id: "0".repeat(16), hash: "" };
        const id = "0".repeat(32);
        return mesh.run("read_discovery", {
          id,
          anybody: false,
          credential: unknownCredential,
          reader,
        }).allowed;
      });
    expect(reads(oldKeys)).toEqual([false]);
    expect(reads(mesh.discoveryKeys())).toEqual([false, true]);
  });

  test("DS8 revoking a controller's token starts a new epoch", () => {
    const mesh = new TestMesh();
    mesh.join(B);
    const { id } = mesh.run("create_token", { label: "", scope: "controller" });
    const oldKeys = mesh.discoveryKeys(id);
    mesh.runFor(HOUR);
    mesh.run("revoke_token", { id });
    mesh.join(C);
    expect(canOpen(oldKeys, present(mesh.publications.at(-1)).publicKey)).toBe(false);
  });

  test("DS8 removing a member from the allowlist starts a new epoch where only listed peers are members", () => {
    const { discovery } = new TestMesh().config;
    const mesh = new TestMesh({ config: { discovery: { ...discovery, members: "listed" } } });
    allowPeer(mesh, A);
    const oldKeys = mesh.join(A, MUSTER_2).discovery;
    mesh.runFor(HOUR);
    mesh.run("disallow", { publicKey: A.publicKey });
    mesh.join(B);
    expect(canOpen(oldKeys, present(mesh.publications.at(-1)).publicKey)).toBe(false);
  });

  test("DS8 revoking a peer that never had discovery keys starts no epoch", () => {
    const mesh = new TestMesh();
    mesh.join(A);
    mesh.join(B);
    mesh.runFor(HOUR);
    mesh.run("revoke_peer", { id: A.id });
    mesh.runFor(HOUR);
    expect(epochNumbers(mesh)).toEqual([1]);
  });

  test("DS8 revoking the rotated key of a member starts a new epoch", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A, MUSTER_2);
    mesh.runFor(HOUR);
    const next = testKey(7);
    mesh.run("rotate_peer", {
      peerId: A.id,
      epoch: peer.epoch,
      newPeerId: next.id,
      newPublicKey: next.publicKey,
    });
    mesh.run("revoke_peer", { id: next.id });
    mesh.join(B);
    expect(canOpen(peer.discovery, present(mesh.publications.at(-1)).publicKey)).toBe(false);
  });
});

describe("several revocations in a short time", () => {
  test("DS9 several revocations share one epoch, and nothing is published under the old one meanwhile", () => {
    const mesh = new TestMesh();
    const [a, b] = [mesh.join(A, MUSTER_2), mesh.join(B, MUSTER_2)];
    const before = mesh.publications.length;
    mesh.run("revoke_peer", { id: A.id });
    mesh.runFor(MINUTE);
    mesh.run("revoke_peer", { id: B.id });
    mesh.join(C, MUSTER_2);
    mesh.runFor(EPOCH_INTERVAL_MIN - 2 * MINUTE);
    expect(mesh.publications).toHaveLength(before);
    expect(mesh.pointers).toEqual([]);
    mesh.runFor(2 * MINUTE);
    expect(mesh.publications).toHaveLength(before + 1);
    expect(mesh.pointers).toMatchObject([{ epoch: 2 }]);
    for (const { discovery } of [a, b])
      expect(canOpen(discovery, present(mesh.publications.at(-1)).publicKey)).toBe(false);
  });

  test("DS9 records that were stored but not shown under the old epoch are not published", () => {
    const mesh = new TestMesh();
    mesh.join(A);
    mesh.join(B, MUSTER_2);
    mesh.runFor(EPOCH_ROTATION_INTERVAL - 1);
    // Both records are about to be resealed; the peer whose record is stored first is revoked before the other's is stored.
    mesh.runFor(1);
    const oldKeys = mesh.discoveryKeys("spy");
    mesh.registry.discoveryEpochs.noteHolder(`peer:${B.id}`, 2);
    mesh.run("revoke_peer", { id: B.id });
    mesh.runFor(EPOCH_INTERVAL_MIN - 1);
    expect(mesh.pointers.map(({ epoch }) => epoch)).not.toContain(2);
    mesh.runFor(3 * MINUTE);
    expect(mesh.pointers.map(({ epoch }) => epoch)).toEqual([3]);
    expect(canOpen(oldKeys, present(mesh.publications.at(-1)).publicKey)).toBe(false);
  });
});

describe("the change of discovery epochs", () => {
  test("DS10 the epoch changes after a day, and each peer is listed exactly once at any time", () => {
    const mesh = new TestMesh();
    const keys = Array.from({ length: 30 }, (_, i) => testKey(300 + i));
    for (const key of keys) mesh.join(key);
    mesh.runFor(EPOCH_ROTATION_INTERVAL - 1);
    const seen = new Set<string>();
    for (let second = 0; second < 70; second++) {
      mesh.runFor(1_000);
      const shown = mesh.pointers.map(({ epoch }) => epoch);
      expect(shown).toHaveLength(30);
      seen.add([...new Set(shown)].join());
    }
    expect([...seen]).toEqual(["1", "2"]);
  });

  test("DS10 a peer that joins during an epoch change is listed at once", () => {
    const mesh = new TestMesh();
    for (const key of [A, B]) mesh.join(key);
    mesh.runFor(EPOCH_ROTATION_INTERVAL);
    mesh.join(C);
    expect(new Set(mesh.pointers.map(({ epoch }) => epoch))).toEqual(new Set([1, 2]));
    expect(mesh.pointers).toHaveLength(3);
  });

  test("DS10 an epoch change does not wait for a peer that disconnects meanwhile", () => {
    const mesh = new TestMesh();
    const [, b] = [A, B].map((key) => mesh.join(key));
    mesh.runFor(EPOCH_ROTATION_INTERVAL);
    b?.leave();
    mesh.runFor(2 * MINUTE);
    expect(mesh.pointers).toMatchObject([{ epoch: 2 }]);
  });

  test("DS10 a mesh without published records does not change epochs", () => {
    const mesh = new TestMesh();
    mesh.join(A).leave();
    mesh.runFor(2 * DAY);
    expect(mesh.nextTick()).toBeGreaterThan(mesh.now + 20 * DAY);
  });

  test("DS10 pointers that an unavailable store could not replace for days are withdrawn, and published again later", () => {
    const mesh = new TestMesh();
    mesh.join(A);
    mesh.storeUnavailable = true;
    mesh.runFor(3 * DAY);
    expect(mesh.pointers).toEqual([]);
    mesh.storeUnavailable = false;
    mesh.runFor(HOUR);
    expect(mesh.pointers).toHaveLength(1);
  });
});
