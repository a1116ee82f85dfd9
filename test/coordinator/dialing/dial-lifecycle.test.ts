import { describe, expect, test } from "vitest";
import {
  DIAL_BACKOFF_MAX,
  DIAL_REPORT_TIMEOUT,
  DIAL_BACKOFF_RESET_AFTER,
  DIAL_ADDRESSES_MAX,
} from "../../../src/protocol/constants.ts";
import { Dialling, urlOf } from "../dialing-mesh.ts";
import { KEYS, TestPeer } from "../mesh.ts";

const [A, B] = KEYS;

describe("registering an address", () => {
  test("DL1 has it dialled at once, for any key", () => {
    const mesh = new Dialling();
    expect(mesh.dial(urlOf(1))).toMatchObject({
      url: urlOf(1),
      state: "dialling",
      attempts: 1,
      peer_id: null,
      public_key: null,
      added_by: "admin",
    });
    expect(mesh.orders).toEqual([
      { dial: { id: mesh.view(urlOf(1)).id, attempt: 1 }, url: urlOf(1), publicKey: null },
    ]);
    expect(mesh.rows("SELECT * FROM peers")).toEqual([]);
  });

  test("DL6 with a key has its peer in the list at once, as discovered", () => {
    const mesh = new Dialling();
    mesh.dial(urlOf(1), A, "node one");
    expect(mesh.run("get_peer", { id: A.id })).toMatchObject({
      state: "discovered",
      connected: false,
      name: "node one",
      address: urlOf(1),
      last_seen: null,
    });
    expect(mesh.orderOf(urlOf(1)).publicKey).toBe(A.publicKey);
  });

  test("DL6 changes nothing of what is known of a peer", () => {
    const mesh = new Dialling();
    mesh.join(A, { name: "its own name" }).leave();
    const before = mesh.run("get_peer", { id: A.id });
    mesh.dial(urlOf(1), A, "another name");
    expect(mesh.run("get_peer", { id: A.id })).toEqual(before);
  });

  test("DL6 of a forgotten peer goes on with its epochs", () => {
    const mesh = new Dialling();
    mesh.join(A);
    mesh.run("forget_peer", { id: A.id });
    mesh.dial(urlOf(1), A);
    expect(mesh.answer(urlOf(1), A).epoch).toBe(2);
  });

  test("DL1 once more dials it now, and makes no second entry", () => {
    const mesh = new Dialling();
    const { id } = mesh.dial(urlOf(1));
    mesh.fail(urlOf(1));
    expect(mesh.view(urlOf(1)).state).toBe("waiting");
    const again = mesh.run("dial_peer", { url: urlOf(1), name: "named", key: null });
    expect(again).toMatchObject({ created: false, dial: { id, state: "dialling", name: "named" } });
    expect(mesh.run("list_dials", {}).dials).toHaveLength(1);
  });

  test("DL6 with another key than it has is refused", () => {
    const mesh = new Dialling();
    mesh.dial(urlOf(1), A);
    const key = { publicKey: B.publicKey, peerId: B.id };
    expect(mesh.refusal("dial_peer", { url: urlOf(1), name: "", key }).code).toBe("conflict");
  });

  test.each([
    "ws://10.0.0.1:9091/ws",
    "ws://127.0.0.1/ws",
    "ws://[::1]/ws",
    "ws://0x7f.1/ws",
    "ws://node.local/ws",
    "http://peer.example/ws",
    "wss://user:word@peer.example/ws",
    "wss://peer.example/ws?token=1",
    "peer.example:9091",
  ])("DL7 of %s is refused, and says why at the URL", (url) => {
    const error = new Dialling().refusal("dial_peer", { url, name: "", key: null });
    expect(error).toMatchObject({ code: "invalid_request", issues: [{ path: "url" }] });
  });

  test("DL7 of this machine is for meshes under test, and spelt in one way", () => {
    const mesh = new Dialling({ config: { allowLoopback: true } });
    expect(mesh.dial("ws://0x7f.1:9091/ws#part").url).toBe("ws://127.0.0.1:9091/ws");
    expect(mesh.dial("ws://127.0.0.1:9091/ws").id).toBe(mesh.view("ws://127.0.0.1:9091/ws").id);
  });

  test("DL2 of a revoked key is refused", () => {
    const mesh = new Dialling();
    mesh.join(A);
    mesh.run("revoke_peer", { id: A.id });
    const key = { publicKey: A.publicKey, peerId: A.id };
    expect(mesh.refusal("dial_peer", { url: urlOf(1), name: "", key }).code).toBe("conflict");
  });

  test("DL1 is bounded", () => {
    const mesh = new Dialling();
    for (let n = 0; n < DIAL_ADDRESSES_MAX; n++) mesh.dial(urlOf(n));
    expect(mesh.refusal("dial_peer", { url: urlOf("more"), name: "", key: null }).code).toBe(
      "conflict",
    );
    expect(mesh.dial(urlOf(5)).url).toBe(urlOf(5));
  });
});

describe("an address where nobody answers", () => {
  test("DL1 is dialled again after ever longer pauses, and for ever", () => {
    const mesh = new Dialling();
    mesh.dial(urlOf(1));
    const pauses = Array.from({ length: 14 }, () => {
      mesh.fail(urlOf(1));
      return mesh.awaitDial(urlOf(1));
    });
    for (const [n, pause] of pauses.entries()) {
      const most = Math.min(DIAL_BACKOFF_MAX, 5_000 * 2 ** n);
      expect(pause).toBeGreaterThanOrEqual(most / 2);
      expect(pause).toBeLessThanOrEqual(most + 1);
    }
    expect(mesh.view(urlOf(1))).toMatchObject({ attempts: 15, failures: 14 });
    expect(mesh.view(urlOf(1)).last_error).toBe("no answer");
  });

  test("DL8 is dialled again also when nothing at all was heard of the attempt", () => {
    const mesh = new Dialling();
    mesh.dial(urlOf(1));
    const took = mesh.awaitDial(urlOf(1));
    expect(took).toBeGreaterThan(DIAL_REPORT_TIMEOUT);
    expect(mesh.view(urlOf(1))).toMatchObject({ attempts: 2, failures: 1 });
    expect(mesh.view(urlOf(1)).last_error).toContain("no outcome in time");
  });

  test("DL10 is not judged by what an older attempt says", () => {
    const mesh = new Dialling();
    mesh.dial(urlOf(1));
    const first = mesh.orderOf(urlOf(1)).dial;
    mesh.awaitDial(urlOf(1));
    const before = mesh.contents();
    mesh.run("dial_failed", { dial: first, error: "late", proved: null });
    mesh.run("dial_failed", { dial: { id: "0".repeat(32), attempt: 1 }, error: "", proved: null });
    expect(mesh.contents()).toBe(before);
  });
});

describe("a peer that was dialled", () => {
  test("DL6 is remembered with the first key that it proves, and no other is taken from then on", () => {
    const mesh = new Dialling();
    mesh.dial(urlOf(1));
    const peer = mesh.answer(urlOf(1), A);
    expect(peer.view).toMatchObject({ state: "active", address: urlOf(1) });
    expect(mesh.view(urlOf(1))).toMatchObject({
      state: "connected",
      peer_id: A.id,
      public_key: A.publicKey,
      next_at: null,
    });
    peer.leave();
    mesh.awaitDial(urlOf(1));
    expect(mesh.orderOf(urlOf(1)).publicKey).toBe(A.publicKey);
    const { dial } = mesh.orderOf(urlOf(1));
    const impostor = new TestPeer(mesh, B);
    expect(mesh.refusal("admit", impostor.request({ dial })).code).toBe("identity_mismatch");
  });

  test("DL1 is not dialled while it is connected, and soon once it is gone", () => {
    const mesh = new Dialling();
    mesh.dial(urlOf(1), A);
    const peer = mesh.answer(urlOf(1), A);
    mesh.live(10 * DIAL_BACKOFF_MAX);
    expect(mesh.ordersOf(urlOf(1))).toBe(1);
    peer.leave();
    expect(peer.view.state).toBe("stale");
    expect(mesh.awaitDial(urlOf(1))).toBeLessThanOrEqual(5_001);
    expect(mesh.answer(urlOf(1), A).epoch).toBe(2);
  });

  test("DL1 is dialled ever less often if it always closes at once, until a session lasts", () => {
    const mesh = new Dialling();
    mesh.dial(urlOf(1), A);
    for (let n = 0; n < 8; n++) {
      mesh.answer(urlOf(1), A).leave();
      mesh.awaitDial(urlOf(1));
    }
    expect(mesh.view(urlOf(1)).failures).toBe(8);
    const peer = mesh.answer(urlOf(1), A);
    mesh.live(DIAL_BACKOFF_RESET_AFTER);
    peer.leave();
    expect(mesh.view(urlOf(1)).failures).toBe(0);
  });

  test("DL9 and is connected by itself is left in peace until it is gone", () => {
    const mesh = new Dialling();
    const own = mesh.join(A);
    mesh.dial(urlOf(1), A);
    expect(mesh.orders).toEqual([]);
    expect(mesh.view(urlOf(1)).state).toBe("resting");
    own.leave();
    mesh.awaitDial(urlOf(1));
    expect(mesh.answer(urlOf(1), A).view.state).toBe("active");
  });

  test("DL9 and turns out to be connected already keeps its own session", () => {
    const mesh = new Dialling();
    mesh.dial(urlOf(1));
    const own = mesh.join(A);
    const dialled = new TestPeer(mesh, A);
    const { dial } = mesh.orderOf(urlOf(1));
    expect(mesh.refusal("admit", dialled.request({ dial })).code).toBe("superseded");
    mesh.fail(urlOf(1), "superseded: the peer is connected already", A);
    expect(mesh.view(urlOf(1))).toMatchObject({ state: "resting", peer_id: A.id });
    expect(own.endedBy).toBeNull();
    own.leave();
    expect(mesh.view(urlOf(1)).state).toBe("waiting");
  });

  test("DL9 is superseded by a session that it opens itself, and its late end changes nothing", () => {
    const mesh = new Dialling();
    mesh.dial(urlOf(1), A);
    const dialled = mesh.answer(urlOf(1), A);
    const own = mesh.join(A);
    expect(dialled.endedBy?.code).toBe("superseded");
    expect(mesh.view(urlOf(1)).state).toBe("resting");
    dialled.leave();
    expect(own.view.state).toBe("active");
    expect(mesh.view(urlOf(1)).state).toBe("resting");
  });

  test("DL9 and is known by two addresses is dialled at one of them at a time", () => {
    const mesh = new Dialling();
    mesh.dial(urlOf(1), A);
    mesh.dial(urlOf(2), A);
    mesh.answer(urlOf(1), A);
    const second = new TestPeer(mesh, A);
    const { dial } = mesh.orderOf(urlOf(2));
    expect(mesh.refusal("admit", second.request({ dial })).code).toBe("superseded");
    mesh.fail(urlOf(2), "superseded", A);
    expect([mesh.view(urlOf(1)).state, mesh.view(urlOf(2)).state]).toEqual([
      "connected",
      "resting",
    ]);
  });
});

describe("who may not come in", () => {
  test("DL2 is dialled no more once revoked, and again once readmitted", () => {
    const mesh = new Dialling();
    mesh.dial(urlOf(1), A);
    const peer = mesh.answer(urlOf(1), A);
    mesh.run("revoke_peer", { id: A.id });
    expect(peer.endedBy?.code).toBe("revoked");
    mesh.live(10 * DIAL_BACKOFF_MAX);
    expect(mesh.ordersOf(urlOf(1))).toBe(1);
    expect(mesh.view(urlOf(1))).toMatchObject({
      state: "barred",
      last_error: expect.stringMatching(/^revoked: /),
    });
    mesh.run("allow", {
      publicKey: A.publicKey,
      peerId: A.id,
      label: "",
      roles: ["worker"],
      readmit: true,
      go_p2p: false,
    });
    expect(mesh.ordersOf(urlOf(1))).toBe(2);
  });

  test("DL2 is not dialled while the list has it not, whatever led to that", () => {
    const mesh = new Dialling();
    mesh.dial(urlOf(1), A);
    const peer = mesh.answer(urlOf(1), A);
    mesh.run("set_auth_mode", { mode: "allowlist" });
    expect(peer.endedBy?.code).toBe("not_allowed");
    mesh.live(10 * DIAL_BACKOFF_MAX);
    expect(mesh.ordersOf(urlOf(1))).toBe(1);
    expect(mesh.view(urlOf(1)).state).toBe("barred");
    mesh.run("set_auth_mode", { mode: "open" });
    expect(mesh.ordersOf(urlOf(1))).toBe(2);
  });

  test("DL2 of an unknown key is found out by its proof, and not dialled again", () => {
    const mesh = new Dialling({ config: { authMode: "allowlist" } });
    mesh.dial(urlOf(1));
    const { dial } = mesh.orderOf(urlOf(1));
    expect(mesh.refusal("admit", new TestPeer(mesh, A).request({ dial })).code).toBe("not_allowed");
    mesh.fail(urlOf(1), "not_allowed: this key is not on the allowlist", A);
    mesh.live(10 * DIAL_BACKOFF_MAX);
    expect(mesh.ordersOf(urlOf(1))).toBe(1);
    expect(mesh.view(urlOf(1))).toMatchObject({ state: "barred", peer_id: A.id });
  });

  test("DL2 has spoken muster.2, and is not dialled by the weaker protocol unless the list says so", () => {
    const mesh = new Dialling();
    mesh.join(A, { protocol: "muster/2" }).leave();
    mesh.dial(urlOf(1), A);
    expect(mesh.orders).toEqual([]);
    expect(mesh.view(urlOf(1)).last_error).toMatch(/^downgrade_refused: /);
    mesh.run("allow", {
      publicKey: A.publicKey,
      peerId: A.id,
      label: "",
      roles: ["worker"],
      readmit: false,
      go_p2p: true,
    });
    expect(mesh.ordersOf(urlOf(1))).toBe(1);
  });

  test("DL6 has another key since: the address goes with it", () => {
    const mesh = new Dialling();
    const peer = mesh.join(A, { protocol: "muster/2" });
    mesh.dial(urlOf(1), A);
    const { epoch } = peer;
    mesh.run("rotate_peer", {
      peerId: A.id,
      epoch,
      newPeerId: B.id,
      newPublicKey: B.publicKey,
    });
    expect(mesh.view(urlOf(1))).toMatchObject({ peer_id: B.id, public_key: B.publicKey });
  });
});

describe("removing an address", () => {
  test("DL11 ends the session that it led to, and leaves the peer's record", () => {
    const mesh = new Dialling();
    const { id } = mesh.dial(urlOf(1), A);
    const peer = mesh.answer(urlOf(1), A);
    mesh.run("remove_dial", { id });
    expect(peer.endedBy?.code).toBe("forgotten");
    expect(peer.view.state).toBe("stale");
    mesh.live(10 * DIAL_BACKOFF_MAX);
    expect(mesh.orders).toHaveLength(1);
    expect(mesh.refusal("remove_dial", { id }).code).toBe("not_found");
  });

  test("DL11 leaves a session that the peer opened itself alone", () => {
    const mesh = new Dialling();
    const own = mesh.join(A);
    const { id } = mesh.dial(urlOf(1), A);
    mesh.run("remove_dial", { id });
    expect([own.endedBy, own.view.state]).toEqual([null, "active"]);
  });

  test("DL11 keeps out who answers an attempt that was under way", () => {
    const mesh = new Dialling();
    const { id } = mesh.dial(urlOf(1), A);
    const { dial } = mesh.orderOf(urlOf(1));
    mesh.run("remove_dial", { id });
    expect(mesh.refusal("admit", new TestPeer(mesh, A).request({ dial })).code).toBe("not_allowed");
  });

  test("DL11 takes with it the record of a peer that never proved itself, once it was its last address", () => {
    const mesh = new Dialling();
    const [one, two] = [mesh.dial(urlOf(1), A), mesh.dial(urlOf(2), A)];
    mesh.run("remove_dial", { id: one.id });
    expect(mesh.run("get_peer", { id: A.id }).state).toBe("discovered");
    mesh.run("remove_dial", { id: two.id });
    expect(mesh.refusal("get_peer", { id: A.id }).code).toBe("not_found");
  });

  test("DL11 comes with forgetting its peer", () => {
    const mesh = new Dialling();
    mesh.dial(urlOf(1), A);
    mesh.answer(urlOf(1), A);
    mesh.run("forget_peer", { id: A.id });
    expect(mesh.run("list_dials", {}).dials).toEqual([]);
    mesh.live(10 * DIAL_BACKOFF_MAX);
    expect(mesh.orders).toHaveLength(1);
  });
});

describe("the audit log", () => {
  test("DL13 says who had which address dialled, and who took it off", () => {
    const mesh = new Dialling();
    const { id } = mesh.dial(urlOf(1), A, "node");
    mesh.run("remove_dial", { id });
    const { entries } = mesh.run("list_audit", { limit: 10 });
    expect(
      entries.map(({ act, actor, subject, outcome }) => [act, actor, subject, outcome]),
    ).toEqual([
      ["remove_dial", "admin", id, "ok"],
      ["dial_peer", "admin", urlOf(1), "ok"],
    ]);
    expect(entries[1]?.detail).toEqual({ dial: id, name: "node", public_key: A.publicKey });
  });
});
