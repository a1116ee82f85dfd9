import { describe, expect, test } from "vitest";
import type { Input } from "../../../src/contract/commands.ts";
import type { Role } from "../../../src/protocol/messages.ts";
import { present } from "../../must.ts";
import { KEYS, TestMesh, TestPeer, type Key } from "../mesh.ts";

const [A, B, C] = KEYS;

const allowInput = (key: Key, roles: Role[] = ["worker"], readmit = false): Input<"allow"> => ({
  publicKey: key.publicKey,
  peerId: key.id,
  label: "",
  roles,
  readmit,
  go_p2p: false,
});
const meshAllowing = (...keys: readonly Key[]): TestMesh => {
  const mesh = new TestMesh({ config: { authMode: "allowlist" } });
  for (const key of keys) mesh.run("allow", allowInput(key));
  return mesh;
};
const admissionError = (peer: TestPeer): string =>
  peer.mesh.errorOf("admit", peer.admitInput()).code;

describe("admission", () => {
  test("AD1 in allowlist mode only listed keys are admitted, and a refused key leaves no record", () => {
    const mesh = meshAllowing(A);
    expect(mesh.join(A).view.state).toBe("active");
    expect(admissionError(new TestPeer(mesh, B))).toBe("not_allowed");
    expect(mesh.errorOf("get_peer", { id: B.id }).code).toBe("not_found");
  });

  test("AD2 in open mode a peer that claims dual is admitted as a worker", () => {
    const mesh = new TestMesh();
    expect(mesh.join(A, { claimedRole: "dual" }).view.role).toBe("worker");
    expect(mesh.registry.peers.get(A.id)?.mayAssign).toBe(false);
  });

  test("AD2 a peer that claims controller without a grant is admitted, gets no tasks and may assign none", () => {
    for (const mesh of [new TestMesh(), meshAllowing(A)]) {
      const peer = mesh.join(A, { claimedRole: "controller", slots: 9 });
      mesh.submit();
      expect(peer.view).toMatchObject({ role: "controller", connected: true, tasks: 0 });
      expect(mesh.registry.peers.get(A.id)?.mayAssign).toBe(false);
    }
  });

  test("AD2 a peer gets the roles of its allowlist entry, limited to the role that it claims", () => {
    const mesh = new TestMesh();
    mesh.run("allow", allowInput(A, ["dual"]));
    const peer = mesh.join(A);
    const standing: [Role, boolean | undefined][] = [];
    for (const claimedRole of ["worker", "dual", "controller"] as const) {
      peer.join({ claimedRole });
      standing.push([peer.view.role, mesh.registry.peers.get(A.id)?.mayAssign]);
    }
    expect(standing).toEqual([
      ["worker", false],
      ["dual", true],
      ["controller", true],
    ]);
  });

  test("AD7 an admission that is refused does not use up its join key", () => {
    const mesh = new TestMesh({ config: { authMode: "allowlist" } });
    const wanted = { label: "", roles: ["controller" as const], uses: 1, expires_seconds: 60 };
    const { key: joinKey } = mesh.run("create_join_key", wanted);
    const shown = { joinKey, protocol: "muster/2" } as const;
    const worker = new TestPeer(mesh, A).admitInput(shown);
    expect(mesh.errorOf("admit", worker).code).toBe("not_allowed");
    expect(mesh.join(B, { ...shown, claimedRole: "controller" }).view.role).toBe("controller");
  });

  test("RL3 a full mesh refuses new peers, but a connected peer may open a new session", () => {
    const mesh = new TestMesh({ config: { peersMax: 2 } });
    const peer = mesh.join(A);
    mesh.join(B);
    expect(admissionError(new TestPeer(mesh, C))).toBe("mesh_full");
    peer.join();
    expect(peer.epoch).toBe(2);
    peer.leave();
    expect(mesh.join(C).view.connected).toBe(true);
  });
});

describe("the auth mode", () => {
  test("AD60 the auth mode is the configured one until an operator sets it", () => {
    const mesh = new TestMesh({ config: { authMode: "allowlist" } });
    expect(mesh.run("get_auth_mode", {})).toEqual({ mode: "allowlist" });
    expect(mesh.run("set_auth_mode", { mode: "open" })).toEqual({ mode: "open" });
    expect(mesh.run("get_auth_mode", {})).toEqual({ mode: "open" });
  });

  test("AD3 changing to allowlist mode ends the sessions of unlisted peers and no others", () => {
    const mesh = new TestMesh();
    mesh.run("allow", allowInput(A));
    const [listed, stranger] = [mesh.join(A), mesh.join(B)];
    const task = mesh.submit({ kind: "echo", requirements: { peer_id: B.id } });
    mesh.run("set_auth_mode", { mode: "allowlist" });
    expect(stranger.endFault).toMatchObject({ code: "not_allowed" });
    expect(stranger.view).toMatchObject({ state: "stale", tasks: 0 });
    expect(mesh.task(task.id)).toMatchObject({ state: "queued", peer_id: null });
    expect(listed.endFault).toBeNull();
    expect(listed.view.state).toBe("active");
    expect(admissionError(stranger)).toBe("not_allowed");
  });

  test("AD3 changing to allowlist mode never offers a released task to a peer whose session is about to end", () => {
    const mesh = new TestMesh();
    // Sessions end in the order of their IDs, and the task is held by the peer whose session ends first.
    const [first, second, third, last] = KEYS.toSorted((a, b) => (a.id < b.id ? -1 : 1));
    mesh.run("allow", allowInput(present(last)));
    mesh.join(present(first));
    const { id } = mesh.submit();
    for (const key of [second, third]) mesh.join(present(key), { rttMs: 1 });
    mesh.join(present(last), { rttMs: 900 });
    mesh.run("set_auth_mode", { mode: "allowlist" });
    expect(mesh.task(id).attempts.map(({ peer_id }) => peer_id)).toEqual([first?.id, last?.id]);
  });
});

describe("the allowlist", () => {
  test("the allowlist shows the latest version of each entry, ordered by the time when it was first added", () => {
    const mesh = meshAllowing(A, B);
    mesh.advanceClock(1);
    mesh.run("allow", { ...allowInput(A, ["dual", "dual"]), label: "the first" });
    const { mode, entries } = mesh.run("list_allowed", {});
    expect(mode).toBe("allowlist");
    expect(entries).toHaveLength(2);
    expect(entries.find(({ peer_id }) => peer_id === A.id)).toMatchObject({
      public_key: A.publicKey,
      label: "the first",
      roles: ["dual"],
      added_at: entries[0]?.added_at,
    });
  });

  test("AD3 removing an allowlist entry in allowlist mode ends the session of its peer", () => {
    const mesh = meshAllowing(A, B);
    const [gone, stays] = [mesh.join(A), mesh.join(B)];
    mesh.run("disallow", { publicKey: A.publicKey });
    expect(gone.endFault).toMatchObject({ code: "not_allowed" });
    expect(gone.view.state).toBe("stale");
    expect(stays.view.state).toBe("active");
    expect(mesh.errorOf("disallow", { publicKey: A.publicKey }).code).toBe("not_found");
  });

  test("AD3 removing an allowlist entry in open mode ends only sessions with roles that the entry granted", () => {
    const mesh = new TestMesh();
    for (const key of [A, B]) mesh.run("allow", allowInput(key, ["dual"]));
    const [worker, dual] = [mesh.join(A), mesh.join(B, { claimedRole: "dual" })];
    for (const { publicKey } of [A, B]) mesh.run("disallow", { publicKey });
    expect(worker.view.state).toBe("active");
    expect(dual.endFault).toMatchObject({ code: "not_allowed" });
  });

  test("AD3 an entry that grants more roles ends no session and takes effect at once", () => {
    const mesh = new TestMesh();
    const [worker, controller] = [mesh.join(A), mesh.join(B, { claimedRole: "controller" })];
    mesh.run("allow", allowInput(A, ["dual"]));
    mesh.run("allow", allowInput(B, ["controller"]));
    expect([worker.endFault, controller.endFault]).toEqual([null, null]);
    expect(worker.view.role).toBe("worker");
    expect(mesh.registry.peers.get(B.id)).toMatchObject({ role: "controller", mayAssign: true });
  });
});

describe("revoking a peer", () => {
  test("AD4 revoking a peer ends its session, releases its leases and withdraws its pointer in one transaction", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const task = mesh.submit();
    peer.accept();
    const other = mesh.join(B);
    const { result } = mesh.execute("revoke_peer", { id: A.id });
    expect(result).toMatchObject({ ok: true, value: { state: "revoked", tasks: 0 } });
    expect(mesh.task(task.id)).toMatchObject({ state: "queued", attempts: [{ state: "lost" }] });
    expect(mesh.registry.pointers.ofPeer(A.id)).toMatchObject([{ state: "removed" }]);
    mesh.runFor(10_000);
    expect(other.offer).toMatchObject({ task_id: task.id });
  });

  test("AD4 the order to end a revoked peer's session is repeated until the session confirms it", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    peer.unreachable = true;
    mesh.run("revoke_peer", { id: A.id });
    mesh.runFor(300_000);
    expect(peer.endFault).toBeNull();
    peer.unreachable = false;
    mesh.runFor(60_000);
    expect(peer.endFault).toMatchObject({ code: "revoked" });
    expect(mesh.registry.outbox.nextDue()).toBeNull();
  });

  test("AD4 revoking a peer also ends an older session that has not confirmed its end", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const older = peer.session;
    peer.unreachable = true;
    peer.join();
    const { effects } = mesh.execute("revoke_peer", { id: A.id });
    const ends = effects.flatMap((effect) =>
      effect.type === "end_session" ? [[effect.to.session, effect.fault.code]] : [],
    );
    expect(ends).toEqual([
      [older, "revoked"],
      [peer.session, "revoked"],
    ]);
  });

  test("AD4 a revoked peer is refused in every auth mode, listed or not, and no event makes it active again", () => {
    const mesh = meshAllowing(A);
    const peer = mesh.join(A);
    mesh.run("revoke_peer", { id: A.id });
    for (const mode of ["open", "allowlist"] as const) {
      mesh.run("set_auth_mode", { mode });
      expect(admissionError(peer)).toBe("revoked");
    }
    peer.observe("answered");
    peer.leave();
    expect(peer.view.state).toBe("revoked");
  });

  test("AD4 revoking a disconnected or already revoked peer succeeds", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    peer.leave();
    mesh.run("revoke_peer", { id: A.id });
    expect(mesh.run("revoke_peer", { id: A.id }).state).toBe("revoked");
    expect(mesh.effectsOfType("end_session")).toEqual([]);
  });

  test("AD5 allowing a revoked key is a conflict unless the command says readmit", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    mesh.run("revoke_peer", { id: A.id });
    expect(mesh.errorOf("allow", allowInput(A)).code).toBe("conflict");
    expect(admissionError(peer)).toBe("revoked");
    mesh.run("allow", allowInput(A, ["worker"], true));
    expect(peer.view.state).toBe("stale");
    peer.join();
    expect(peer.view.state).toBe("active");
  });
});

describe("forgetting a peer", () => {
  test("AD6 forgetting a peer ends its session, removes its record and offers its tasks to other peers", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const task = mesh.submit();
    const other = mesh.join(B);
    mesh.run("forget_peer", { id: A.id });
    expect(peer.endFault).toMatchObject({ code: "forgotten" });
    expect(mesh.errorOf("get_peer", { id: A.id }).code).toBe("not_found");
    expect(mesh.registry.pointers.ofPeer(A.id)).toMatchObject([{ state: "removed" }]);
    expect(other.offer.task_id).toBe(task.id);
    expect(mesh.errorOf("forget_peer", { id: A.id }).code).toBe("not_found");
  });

  test("AD6 a forgotten peer that was revoked stays revoked, and is allowed only with readmit", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    mesh.run("revoke_peer", { id: A.id });
    mesh.run("forget_peer", { id: A.id });
    expect(admissionError(peer)).toBe("revoked");
    expect(mesh.errorOf("allow", allowInput(A)).code).toBe("conflict");
    mesh.run("allow", allowInput(A, ["worker"], true));
    peer.join();
    expect(peer.view.state).toBe("active");
  });

  test("AD6 a forgotten peer that joins again starts without its history", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    mesh.submit();
    peer.finish();
    mesh.run("forget_peer", { id: A.id });
    peer.join();
    expect(peer.view).toMatchObject({ successes: 0, tasks: 0, state: "active" });
  });
});
