import { describe, expect, test } from "vitest";
import { HOUR } from "../../../src/base/clock.ts";
import { readerToken } from "../../../src/discovery/epoch-secrets.ts";
import type { DiscoveryMembers } from "../../../src/peers/discovery-rights.ts";
import { EPOCH_ROTATION_INTERVAL } from "../../../src/protocol/constants.ts";
import type { AuthMode } from "../../../src/protocol/http.ts";
import { hexBytes, present } from "../../must.ts";
import type { Announced } from "../announced.ts";
import { KEYS, testKey, TestMesh, type TestPeer } from "../mesh.ts";

const [A, B] = KEYS;
const MUSTER_2: Announced = { protocol: "muster/2" };

const meshWith = (members: DiscoveryMembers, authMode: AuthMode, before?: TestMesh): TestMesh => {
  const { discovery } = new TestMesh().config;
  const config = { authMode, discovery: { ...discovery, members } };
  // Another seed: the secrets of two epochs must differ.
  const mesh = new TestMesh({ config, ...(before !== undefined && { sql: before.sql, seed: 2 }) });
  if (before !== undefined) mesh.now = before.now;
  return mesh;
};

const allow = (mesh: TestMesh, { id, publicKey }: typeof A): void =>
  void mesh.run("allow", {
    publicKey,
    peerId: id,
    label: "",
    roles: ["worker"],
    readmit: false,
    go_p2p: false,
  });

/** Whether the reader token of the newest epoch that a holder has keys of is accepted. */
const reads = (mesh: TestMesh, { epochs }: NonNullable<TestPeer["discovery"]>): boolean =>
  mesh.run("read_discovery", {
    id: "0".repeat(32),
    anybody: false,
    credential: { id: "0".repeat(16), hash: "" },
    reader: readerToken(hexBytes(present(epochs.at(-1)).pointer_secret)),
  }).allowed;

/** A way in which a member loses its right. Returns the mesh, which is another one after a deploy. */
interface Loss {
  readonly members: DiscoveryMembers;
  readonly mode: AuthMode;
  readonly isListed: boolean;
  act(mesh: TestMesh): TestMesh | void;
}

const LOSSES: Readonly<Record<string, Loss>> = {
  "the mode tightens": {
    members: "all",
    mode: "open",
    isListed: false,
    act: (mesh) => void mesh.run("set_auth_mode", { mode: "allowlist" }),
  },
  "its entry is removed in open mode": {
    members: "listed",
    mode: "open",
    isListed: true,
    act: (mesh) => void mesh.run("disallow", { publicKey: A.publicKey }),
  },
  "its entry is removed in allowlist mode": {
    members: "all",
    mode: "allowlist",
    isListed: true,
    act: (mesh) => void mesh.run("disallow", { publicKey: A.publicKey }),
  },
  "its key is revoked": {
    members: "all",
    mode: "open",
    isListed: false,
    act: (mesh) => void mesh.run("revoke_peer", { id: A.id }),
  },
  "fewer peers are members after a deploy": {
    members: "all",
    mode: "open",
    isListed: false,
    act: (mesh) => meshWith("listed", "open", mesh),
  },
  "no peer is a member after a deploy": {
    members: "listed",
    mode: "open",
    isListed: true,
    act: (mesh) => meshWith("none", "open", mesh),
  },
  "the mode is tighter after a deploy": {
    members: "all",
    mode: "open",
    isListed: false,
    act: (mesh) => meshWith("all", "allowlist", mesh),
  },
};

const WHEREABOUTS: Readonly<Record<string, (peer: TestPeer) => void>> = {
  connected: () => {},
  away: (peer) => peer.leave(),
  forgotten: (peer) => void peer.mesh.run("forget_peer", { id: peer.id }),
};

const CASES = Object.keys(LOSSES).flatMap((loss) =>
  ["connected", "away", "forgotten"].map((where) => [loss, where] as const),
);

/** A mesh with two members, of which one is about to lose its right an hour after the epoch began. */
function meshOfTwo({ members, mode, isListed }: Loss) {
  const mesh = meshWith(members, mode);
  if (isListed) allow(mesh, A);
  if (members === "listed" || mode === "allowlist") allow(mesh, B);
  const leaver = mesh.join(A, MUSTER_2);
  mesh.join(B, MUSTER_2);
  mesh.runFor(HOUR);
  return { mesh, leaver, keys: present(leaver.discovery) };
}

const newestEpoch = (mesh: TestMesh) => present(mesh.registry.discoveryEpochs.newest()).epoch;

describe("holders of discovery keys", () => {
  test.for(CASES)("DS40 lose them at once when %s, also a holder that is %s", ([name, where]) => {
    const loss = present(LOSSES[name]);
    const { mesh: before, leaver, keys } = meshOfTwo(loss);
    present(WHEREABOUTS[where])(leaver);
    expect(reads(before, keys)).toBe(true);
    const mesh = loss.act(before) ?? before;
    expect(reads(mesh, keys)).toBe(false);
    expect(newestEpoch(mesh)).toBe(2);
  });

  test("DS40 a controller loses them when its token is revoked, and keeps them until then", () => {
    const mesh = meshWith("all", "open");
    const { id } = mesh.run("create_token", { label: "", scope: "controller" });
    const keys = mesh.discoveryKeys(id);
    const other = mesh.run("create_token", { label: "", scope: "controller" });
    mesh.runFor(HOUR);
    mesh.run("revoke_token", { id: other.id });
    expect(reads(mesh, keys)).toBe(true);
    mesh.run("revoke_token", { id });
    expect(reads(mesh, keys)).toBe(false);
  });

  test("DS40 a peer that was forgotten and then loses its entry changes the epoch", () => {
    const { mesh, keys } = meshOfTwo({
      members: "listed",
      mode: "allowlist",
      isListed: true,
      act() {},
    });
    mesh.run("forget_peer", { id: A.id });
    expect(reads(mesh, keys)).toBe(true);
    mesh.run("disallow", { publicKey: A.publicKey });
    expect(reads(mesh, keys)).toBe(false);
  });

  test("DS41 an act that takes no right from any holder changes no epoch", () => {
    const { mesh, leaver, keys } = meshOfTwo({
      members: "all",
      mode: "open",
      isListed: true,
      act() {},
    });
    allow(mesh, testKey(9));
    mesh.run("disallow", { publicKey: testKey(9).publicKey });
    mesh.run("disallow", { publicKey: A.publicKey });
    mesh.run("revoke_peer", { id: testKey(8).id });
    mesh.run("set_auth_mode", { mode: "open" });
    leaver.leave();
    mesh.run("forget_peer", { id: A.id });
    const restarted = meshWith("all", "open", mesh);
    expect(reads(restarted, keys)).toBe(true);
    expect(newestEpoch(restarted)).toBe(1);
  });

  test("DS41 a rotation takes no right, and the new key's loss of it counts for the keys that the old one got", () => {
    const { mesh, leaver, keys } = meshOfTwo({
      members: "listed",
      mode: "open",
      isListed: true,
      act() {},
    });
    const next = testKey(7);
    mesh.run("rotate_peer", {
      peerId: A.id,
      epoch: leaver.epoch,
      newPeerId: next.id,
      newPublicKey: next.publicKey,
    });
    expect(reads(mesh, keys)).toBe(true);
    mesh.run("disallow", { publicKey: next.publicKey });
    expect(reads(mesh, keys)).toBe(false);
  });

  test("DS42 a member that has keys of an earlier epoch only loses that one, and the newest stays", () => {
    const mesh = meshWith("all", "open");
    const leaver = mesh.join(A, MUSTER_2);
    const oldKeys = present(leaver.discovery);
    leaver.leave();
    mesh.join(B, MUSTER_2);
    mesh.runFor(EPOCH_ROTATION_INTERVAL);
    const newKeys = present(mesh.join(KEYS[2], MUSTER_2).discovery);
    expect(mesh.registry.discoveryEpochs.list().map(({ epoch }) => epoch)).toEqual([1, 2]);
    expect([reads(mesh, oldKeys), reads(mesh, newKeys)]).toEqual([true, true]);
    mesh.run("revoke_peer", { id: A.id });
    expect([reads(mesh, oldKeys), reads(mesh, newKeys)]).toEqual([false, true]);
    expect(newestEpoch(mesh)).toBe(2);
  });

  test("DS40 nothing is published under the closed epoch by a command of the same group", () => {
    const { mesh, keys } = meshOfTwo(present(LOSSES["its key is revoked"]));
    mesh.run("announce", { peerId: B.id, epoch: 1, announced: { kinds: ["x"] } });
    const { publication, ...of } = present(mesh.run("prepare_publication", { peerId: B.id }));
    const { blobId } = publication;
    mesh.executeGroup([
      { name: "revoke_peer", input: { id: A.id }, actor: "admin" },
      { name: "published", input: { ...of, peerId: B.id, blobId }, actor: "mesh" },
    ]);
    expect(reads(mesh, keys)).toBe(false);
    expect(mesh.registry.pointers.ofPeer(B.id).map((pointer) => pointer.blobId)).not.toContain(
      blobId,
    );
  });
});
