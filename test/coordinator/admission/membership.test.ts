import { describe, expect, test } from "vitest";
import type { Input } from "../../../src/contract/commands.ts";
import type { Role } from "../../../src/protocol/messages.ts";
import { present } from "../../must.ts";
import { KEYS, TestMesh, TestPeer, type Key } from "../mesh.ts";

const [A, B, C] = KEYS;

const entry = (key: Key, roles: Role[] = ["worker"], readmit = false): Input<"allow"> => ({
  publicKey: key.publicKey,
  peerId: key.id,
  label: "",
  roles,
  readmit,
  go_p2p: false,
});
const allowed = (...keys: readonly Key[]): TestMesh => {
  const mesh = new TestMesh({ config: { authMode: "allowlist" } });
  for (const key of keys) mesh.run("allow", entry(key));
  return mesh;
};
const refusedToJoin = (peer: TestPeer): string => peer.mesh.refusal("admit", peer.request()).code;

describe("admission", () => {
  test("AD1 in mode allowlist is for listed keys alone, and leaves no trace of others", () => {
    const mesh = allowed(A);
    expect(mesh.join(A).view.state).toBe("active");
    expect(refusedToJoin(new TestPeer(mesh, B))).toBe("not_allowed");
    expect(mesh.refusal("get_peer", { id: B.id }).code).toBe("not_found");
  });

  test("AD2 in mode open grants worker: who claims dual is a worker", () => {
    const mesh = new TestMesh();
    expect(mesh.join(A, { claimedRole: "dual" }).view.role).toBe("worker");
    expect(mesh.registry.peers.get(A.id)?.mayAssign).toBe(false);
  });

  test("AD2 lets in who claims controller without the grant: it gets no tasks and gives none", () => {
    for (const mesh of [new TestMesh(), allowed(A)]) {
      const peer = mesh.join(A, { claimedRole: "controller", slots: 9 });
      mesh.submit();
      expect(peer.view).toMatchObject({ role: "controller", connected: true, tasks: 0 });
      expect(mesh.registry.peers.get(A.id)?.mayAssign).toBe(false);
    }
  });

  test("AD2 grants by an entry its roles, which the claim narrows", () => {
    const mesh = new TestMesh();
    mesh.run("allow", entry(A, ["dual"]));
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

  test("AD7 that is refused leaves the join key unspent, for who may come in by it", () => {
    const mesh = new TestMesh({ config: { authMode: "allowlist" } });
    const wanted = { label: "", roles: ["controller" as const], uses: 1, expires_seconds: 60 };
    const { key: joinKey } = mesh.run("create_join_key", wanted);
    const shown = { joinKey, protocol: "muster/2" } as const;
    const worker = new TestPeer(mesh, A).request(shown);
    expect(mesh.refusal("admit", worker).code).toBe("not_allowed");
    expect(mesh.join(B, { ...shown, claimedRole: "controller" }).view.role).toBe("controller");
  });

  test("RL3 stops at the most peers that a mesh takes; who is connected keeps its place", () => {
    const mesh = new TestMesh({ config: { peersMax: 2 } });
    const peer = mesh.join(A);
    mesh.join(B);
    expect(refusedToJoin(new TestPeer(mesh, C))).toBe("mesh_full");
    peer.join();
    expect(peer.epoch).toBe(2);
    peer.leave();
    expect(mesh.join(C).view.connected).toBe(true);
  });
});

describe("the auth mode", () => {
  test("is the configured one until it is set", () => {
    const mesh = new TestMesh({ config: { authMode: "allowlist" } });
    expect(mesh.run("get_auth_mode", {})).toEqual({ mode: "allowlist" });
    expect(mesh.run("set_auth_mode", { mode: "open" })).toEqual({ mode: "open" });
    expect(mesh.run("get_auth_mode", {})).toEqual({ mode: "open" });
  });

  test("AD3 that is tightened ends the sessions that no longer qualify, and no other", () => {
    const mesh = new TestMesh();
    mesh.run("allow", entry(A));
    const [listed, stranger] = [mesh.join(A), mesh.join(B)];
    const task = mesh.submit({ kind: "echo", requirements: { peer_id: B.id } });
    mesh.run("set_auth_mode", { mode: "allowlist" });
    expect(stranger.endedBy).toMatchObject({ code: "not_allowed" });
    expect(stranger.view).toMatchObject({ state: "stale", tasks: 0 });
    expect(mesh.task(task.id)).toMatchObject({ state: "queued", peer_id: null });
    expect(listed.endedBy).toBeNull();
    expect(listed.view.state).toBe("active");
    expect(refusedToJoin(stranger)).toBe("not_allowed");
  });

  test("AD3 that is tightened hands the work on to who may stay, and to nobody else in between", () => {
    const mesh = new TestMesh();
    // Sessions end in the order of IDs, and the task begins where the first of them ends.
    const [first, second, third, last] = KEYS.toSorted((a, b) => (a.id < b.id ? -1 : 1));
    mesh.run("allow", entry(present(last)));
    mesh.join(present(first));
    const { id } = mesh.submit();
    for (const key of [second, third]) mesh.join(present(key), { rttMs: 1 });
    mesh.join(present(last), { rttMs: 900 });
    mesh.run("set_auth_mode", { mode: "allowlist" });
    expect(mesh.task(id).attempts.map(({ peer_id }) => peer_id)).toEqual([first?.id, last?.id]);
  });
});

describe("the allowlist", () => {
  test("shows each entry as it was last put, in the order of their coming", () => {
    const mesh = allowed(A, B);
    mesh.pass(1);
    mesh.run("allow", { ...entry(A, ["dual", "dual"]), label: "the first" });
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

  test("AD3 an entry that is removed ends the session that rested on it", () => {
    const mesh = allowed(A, B);
    const [gone, stays] = [mesh.join(A), mesh.join(B)];
    mesh.run("disallow", { publicKey: A.publicKey });
    expect(gone.endedBy).toMatchObject({ code: "not_allowed" });
    expect(gone.view.state).toBe("stale");
    expect(stays.view.state).toBe("active");
    expect(mesh.refusal("disallow", { publicKey: A.publicKey }).code).toBe("not_found");
  });

  test("AD3 an entry that is removed in mode open ends a session only for the roles it gave", () => {
    const mesh = new TestMesh();
    for (const key of [A, B]) mesh.run("allow", entry(key, ["dual"]));
    const [worker, dual] = [mesh.join(A), mesh.join(B, { claimedRole: "dual" })];
    for (const { publicKey } of [A, B]) mesh.run("disallow", { publicKey });
    expect(worker.view.state).toBe("active");
    expect(dual.endedBy).toMatchObject({ code: "not_allowed" });
  });

  test("AD3 an entry that grants more ends no session, and holds for it at once", () => {
    const mesh = new TestMesh();
    const [worker, controller] = [mesh.join(A), mesh.join(B, { claimedRole: "controller" })];
    mesh.run("allow", entry(A, ["dual"]));
    mesh.run("allow", entry(B, ["controller"]));
    expect([worker.endedBy, controller.endedBy]).toEqual([null, null]);
    expect(worker.view.role).toBe("worker");
    expect(mesh.registry.peers.get(B.id)).toMatchObject({ role: "controller", mayAssign: true });
  });
});

describe("revoking a peer", () => {
  test("AD4 ends its session, releases its leases and withdraws its pointer in one transaction", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const task = mesh.submit();
    peer.accept();
    const other = mesh.join(B);
    const { result } = mesh.execute("revoke_peer", { id: A.id });
    expect(result).toMatchObject({ ok: true, value: { state: "revoked", tasks: 0 } });
    expect(mesh.task(task.id)).toMatchObject({ state: "queued", attempts: [{ state: "lost" }] });
    expect(mesh.registry.pointers.ofPeer(A.id)).toMatchObject([{ state: "removed" }]);
    mesh.live(10_000);
    expect(other.offer).toMatchObject({ task_id: task.id });
  });

  test("AD4 repeats the end of a session that does not confirm, until it does", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    peer.unreachable = true;
    mesh.run("revoke_peer", { id: A.id });
    mesh.live(300_000);
    expect(peer.endedBy).toBeNull();
    peer.unreachable = false;
    mesh.live(60_000);
    expect(peer.endedBy).toMatchObject({ code: "revoked" });
    expect(mesh.registry.outbox.nextDue()).toBeNull();
  });

  test("AD4 ends an older session as well that has not confirmed its end yet", () => {
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

  test("AD4 holds in every mode, listed or not, and cannot be undone by any event", () => {
    const mesh = allowed(A);
    const peer = mesh.join(A);
    mesh.run("revoke_peer", { id: A.id });
    for (const mode of ["open", "allowlist"] as const) {
      mesh.run("set_auth_mode", { mode });
      expect(refusedToJoin(peer)).toBe("revoked");
    }
    peer.observe("answered");
    peer.leave();
    expect(peer.view.state).toBe("revoked");
  });

  test("AD4 of a peer that is away, or revoked already, is done as well", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    peer.leave();
    mesh.run("revoke_peer", { id: A.id });
    expect(mesh.run("revoke_peer", { id: A.id }).state).toBe("revoked");
    expect(mesh.performed("end_session")).toEqual([]);
    expect(mesh.refusal("revoke_peer", { id: B.id }).code).toBe("not_found");
  });

  test("AD5 is not undone by allowing the key, unless the call says readmit", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    mesh.run("revoke_peer", { id: A.id });
    expect(mesh.refusal("allow", entry(A)).code).toBe("conflict");
    expect(refusedToJoin(peer)).toBe("revoked");
    mesh.run("allow", entry(A, ["worker"], true));
    expect(peer.view.state).toBe("stale");
    peer.join();
    expect(peer.view.state).toBe("active");
  });
});

describe("forgetting a peer", () => {
  test("AD6 ends its session and removes its record; others get its work", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const task = mesh.submit();
    const other = mesh.join(B);
    mesh.run("forget_peer", { id: A.id });
    expect(peer.endedBy).toMatchObject({ code: "forgotten" });
    expect(mesh.refusal("get_peer", { id: A.id }).code).toBe("not_found");
    expect(mesh.registry.pointers.ofPeer(A.id)).toMatchObject([{ state: "removed" }]);
    expect(other.offer.task_id).toBe(task.id);
    expect(mesh.refusal("forget_peer", { id: A.id }).code).toBe("not_found");
  });

  test("AD6 leaves its revocation standing: it can't come back, nor be allowed without readmit", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    mesh.run("revoke_peer", { id: A.id });
    mesh.run("forget_peer", { id: A.id });
    expect(refusedToJoin(peer)).toBe("revoked");
    expect(mesh.refusal("allow", entry(A)).code).toBe("conflict");
    mesh.run("allow", entry(A, ["worker"], true));
    peer.join();
    expect(peer.view.state).toBe("active");
  });

  test("AD6 takes its history with it: it comes back as a newcomer", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    mesh.submit();
    peer.finish();
    mesh.run("forget_peer", { id: A.id });
    peer.join();
    expect(peer.view).toMatchObject({ successes: 0, tasks: 0, state: "active" });
  });
});
