import { describe, expect, test } from "vitest";
import {
  DIAL_BACKOFF_MAX,
  DIAL_REPORT_TIMEOUT,
  DIAL_BACKOFF_RESET_AFTER,
  DIAL_ADDRESSES_MAX,
} from "../../../src/protocol/constants.ts";
import { DialingMesh, testUrl } from "../dialing-mesh.ts";
import { KEYS, TestPeer } from "../mesh.ts";

const [A, B] = KEYS;

describe("registering an address", () => {
  test("DL1 a registered address is dialed at once, and accepts any key at first", () => {
    const mesh = new DialingMesh();
    expect(mesh.dial(testUrl(1))).toMatchObject({
      url: testUrl(1),
      state: "dialling",
      attempts: 1,
      peer_id: null,
      public_key: null,
      added_by: "admin",
    });
    expect(mesh.orders).toEqual([
      { dial: { id: mesh.dialView(testUrl(1)).id, attempt: 1 }, url: testUrl(1), publicKey: null },
    ]);
    expect(mesh.rows("SELECT * FROM peers")).toEqual([]);
  });

  test("DL6 registering an address with a key lists its peer as discovered at once", () => {
    const mesh = new DialingMesh();
    mesh.dial(testUrl(1), A, "node one");
    expect(mesh.run("get_peer", { id: A.id })).toMatchObject({
      state: "discovered",
      connected: false,
      name: "node one",
      address: testUrl(1),
      last_seen: null,
    });
    expect(mesh.newestOrder(testUrl(1)).publicKey).toBe(A.publicKey);
  });

  test("DL6 registering an address does not change the record of a known peer", () => {
    const mesh = new DialingMesh();
    mesh.join(A, { name: "its own name" }).leave();
    const before = mesh.run("get_peer", { id: A.id });
    mesh.dial(testUrl(1), A, "another name");
    expect(mesh.run("get_peer", { id: A.id })).toEqual(before);
  });

  test("DL6 registering the address of a forgotten peer continues its epochs", () => {
    const mesh = new DialingMesh();
    mesh.join(A);
    mesh.run("forget_peer", { id: A.id });
    mesh.dial(testUrl(1), A);
    expect(mesh.answerDial(testUrl(1), A).epoch).toBe(2);
  });

  test("DL1 registering an address again dials it at once and creates no second entry", () => {
    const mesh = new DialingMesh();
    const { id } = mesh.dial(testUrl(1));
    mesh.failDial(testUrl(1));
    expect(mesh.dialView(testUrl(1)).state).toBe("waiting");
    const again = mesh.run("dial_peer", { url: testUrl(1), name: "named", key: null });
    expect(again).toMatchObject({ created: false, dial: { id, state: "dialling", name: "named" } });
    expect(mesh.run("list_dials", {}).dials).toHaveLength(1);
  });

  test("DL6 registering an address with another key than it has is a conflict", () => {
    const mesh = new DialingMesh();
    mesh.dial(testUrl(1), A);
    const key = { publicKey: B.publicKey, peerId: B.id };
    expect(mesh.errorOf("dial_peer", { url: testUrl(1), name: "", key }).code).toBe("conflict");
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
  ])("DL7 dialing %s is refused with an issue at the field url", (url) => {
    const error = new DialingMesh().errorOf("dial_peer", { url, name: "", key: null });
    expect(error).toMatchObject({ code: "invalid_request", issues: [{ path: "url" }] });
  });

  test("DL7 loopback addresses are accepted only with allowLoopback, and are normalized", () => {
    const mesh = new DialingMesh({ config: { allowLoopback: true } });
    expect(mesh.dial("ws://0x7f.1:9091/ws#part").url).toBe("ws://127.0.0.1:9091/ws");
    expect(mesh.dial("ws://127.0.0.1:9091/ws").id).toBe(mesh.dialView("ws://127.0.0.1:9091/ws").id);
  });

  test("DL2 registering an address with a revoked key is a conflict", () => {
    const mesh = new DialingMesh();
    mesh.join(A);
    mesh.run("revoke_peer", { id: A.id });
    const key = { publicKey: A.publicKey, peerId: A.id };
    expect(mesh.errorOf("dial_peer", { url: testUrl(1), name: "", key }).code).toBe("conflict");
  });

  test("DL1 the number of addresses is limited; a known address may still be registered again", () => {
    const mesh = new DialingMesh();
    for (let n = 0; n < DIAL_ADDRESSES_MAX; n++) mesh.dial(testUrl(n));
    expect(mesh.errorOf("dial_peer", { url: testUrl("more"), name: "", key: null }).code).toBe(
      "conflict",
    );
    expect(mesh.dial(testUrl(5)).url).toBe(testUrl(5));
  });
});

describe("an address that does not answer", () => {
  test("DL1 an address that does not answer is dialed again without end, with growing pauses", () => {
    const mesh = new DialingMesh();
    mesh.dial(testUrl(1));
    const pauses = Array.from({ length: 14 }, () => {
      mesh.failDial(testUrl(1));
      return mesh.waitForDial(testUrl(1));
    });
    for (const [n, pause] of pauses.entries()) {
      const most = Math.min(DIAL_BACKOFF_MAX, 5_000 * 2 ** n);
      expect(pause).toBeGreaterThanOrEqual(most / 2);
      expect(pause).toBeLessThanOrEqual(most + 1);
    }
    expect(mesh.dialView(testUrl(1))).toMatchObject({ attempts: 15, failures: 14 });
    expect(mesh.dialView(testUrl(1)).last_error).toBe("no answer");
  });

  test("DL8 an attempt without a reported outcome counts as failed, and the address is dialed again", () => {
    const mesh = new DialingMesh();
    mesh.dial(testUrl(1));
    const took = mesh.waitForDial(testUrl(1));
    expect(took).toBeGreaterThan(DIAL_REPORT_TIMEOUT);
    expect(mesh.dialView(testUrl(1))).toMatchObject({ attempts: 2, failures: 1 });
    expect(mesh.dialView(testUrl(1)).last_error).toContain("no outcome in time");
  });

  test("DL10 the outcome of an older attempt changes nothing", () => {
    const mesh = new DialingMesh();
    mesh.dial(testUrl(1));
    const first = mesh.newestOrder(testUrl(1)).dial;
    mesh.waitForDial(testUrl(1));
    const before = mesh.contents();
    mesh.run("dial_failed", { dial: first, error: "late", proved: null });
    mesh.run("dial_failed", { dial: { id: "0".repeat(32), attempt: 1 }, error: "", proved: null });
    expect(mesh.contents()).toBe(before);
  });
});

describe("a peer that was dialed", () => {
  test("DL6 an address is bound to the first key that its peer proves, and another key is refused", () => {
    const mesh = new DialingMesh();
    mesh.dial(testUrl(1));
    const peer = mesh.answerDial(testUrl(1), A);
    expect(peer.view).toMatchObject({ state: "active", address: testUrl(1) });
    expect(mesh.dialView(testUrl(1))).toMatchObject({
      state: "connected",
      peer_id: A.id,
      public_key: A.publicKey,
      next_at: null,
    });
    peer.leave();
    mesh.waitForDial(testUrl(1));
    expect(mesh.newestOrder(testUrl(1)).publicKey).toBe(A.publicKey);
    const { dial } = mesh.newestOrder(testUrl(1));
    const impostor = new TestPeer(mesh, B);
    expect(mesh.errorOf("admit", impostor.admitInput({ dial })).code).toBe("identity_mismatch");
  });

  test("DL1 an address is not dialed while its peer is connected, and is dialed again soon after it disconnects", () => {
    const mesh = new DialingMesh();
    mesh.dial(testUrl(1), A);
    const peer = mesh.answerDial(testUrl(1), A);
    mesh.runFor(10 * DIAL_BACKOFF_MAX);
    expect(mesh.orderCount(testUrl(1))).toBe(1);
    peer.leave();
    expect(peer.view.state).toBe("stale");
    expect(mesh.waitForDial(testUrl(1))).toBeLessThanOrEqual(5_001);
    expect(mesh.answerDial(testUrl(1), A).epoch).toBe(2);
  });

  test("DL1 an address whose sessions end at once is dialed less and less often, until a session lasts", () => {
    const mesh = new DialingMesh();
    mesh.dial(testUrl(1), A);
    for (let n = 0; n < 8; n++) {
      mesh.answerDial(testUrl(1), A).leave();
      mesh.waitForDial(testUrl(1));
    }
    expect(mesh.dialView(testUrl(1)).failures).toBe(8);
    const peer = mesh.answerDial(testUrl(1), A);
    mesh.runFor(DIAL_BACKOFF_RESET_AFTER);
    peer.leave();
    expect(mesh.dialView(testUrl(1)).failures).toBe(0);
  });

  test("DL9 an address is not dialed while its peer has a session that the peer opened", () => {
    const mesh = new DialingMesh();
    const own = mesh.join(A);
    mesh.dial(testUrl(1), A);
    expect(mesh.orders).toEqual([]);
    expect(mesh.dialView(testUrl(1)).state).toBe("resting");
    own.leave();
    mesh.waitForDial(testUrl(1));
    expect(mesh.answerDial(testUrl(1), A).view.state).toBe("active");
  });

  test("DL9 a peer that turns out to be connected already keeps the session that it opened", () => {
    const mesh = new DialingMesh();
    mesh.dial(testUrl(1));
    const own = mesh.join(A);
    const dialedPeer = new TestPeer(mesh, A);
    const { dial } = mesh.newestOrder(testUrl(1));
    expect(mesh.errorOf("admit", dialedPeer.admitInput({ dial })).code).toBe("superseded");
    mesh.failDial(testUrl(1), "superseded: the peer is connected already", A);
    expect(mesh.dialView(testUrl(1))).toMatchObject({ state: "resting", peer_id: A.id });
    expect(own.endFault).toBeNull();
    own.leave();
    expect(mesh.dialView(testUrl(1)).state).toBe("waiting");
  });

  test("DL9 a session that the peer opens supersedes the dialed one, whose late end changes nothing", () => {
    const mesh = new DialingMesh();
    mesh.dial(testUrl(1), A);
    const dialedPeer = mesh.answerDial(testUrl(1), A);
    const own = mesh.join(A);
    expect(dialedPeer.endFault?.code).toBe("superseded");
    expect(mesh.dialView(testUrl(1)).state).toBe("resting");
    dialedPeer.leave();
    expect(own.view.state).toBe("active");
    expect(mesh.dialView(testUrl(1)).state).toBe("resting");
  });

  test("DL9 a peer with two addresses is connected at one of them at a time", () => {
    const mesh = new DialingMesh();
    mesh.dial(testUrl(1), A);
    mesh.dial(testUrl(2), A);
    mesh.answerDial(testUrl(1), A);
    const second = new TestPeer(mesh, A);
    const { dial } = mesh.newestOrder(testUrl(2));
    expect(mesh.errorOf("admit", second.admitInput({ dial })).code).toBe("superseded");
    mesh.failDial(testUrl(2), "superseded", A);
    expect([mesh.dialView(testUrl(1)).state, mesh.dialView(testUrl(2)).state]).toEqual([
      "connected",
      "resting",
    ]);
  });
});

describe("a peer that may not join", () => {
  test("DL2 a revoked peer is not dialed until it is readmitted", () => {
    const mesh = new DialingMesh();
    mesh.dial(testUrl(1), A);
    const peer = mesh.answerDial(testUrl(1), A);
    mesh.run("revoke_peer", { id: A.id });
    expect(peer.endFault?.code).toBe("revoked");
    mesh.runFor(10 * DIAL_BACKOFF_MAX);
    expect(mesh.orderCount(testUrl(1))).toBe(1);
    expect(mesh.dialView(testUrl(1))).toMatchObject({
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
    expect(mesh.orderCount(testUrl(1))).toBe(2);
  });

  test("DL2 a peer that the allowlist does not contain is not dialed until the auth mode changes to open", () => {
    const mesh = new DialingMesh();
    mesh.dial(testUrl(1), A);
    const peer = mesh.answerDial(testUrl(1), A);
    mesh.run("set_auth_mode", { mode: "allowlist" });
    expect(peer.endFault?.code).toBe("not_allowed");
    mesh.runFor(10 * DIAL_BACKOFF_MAX);
    expect(mesh.orderCount(testUrl(1))).toBe(1);
    expect(mesh.dialView(testUrl(1)).state).toBe("barred");
    mesh.run("set_auth_mode", { mode: "open" });
    expect(mesh.orderCount(testUrl(1))).toBe(2);
  });

  test("DL2 an address whose peer proves a key that is not allowed is not dialed again", () => {
    const mesh = new DialingMesh({ config: { authMode: "allowlist" } });
    mesh.dial(testUrl(1));
    const { dial } = mesh.newestOrder(testUrl(1));
    expect(mesh.errorOf("admit", new TestPeer(mesh, A).admitInput({ dial })).code).toBe(
      "not_allowed",
    );
    mesh.failDial(testUrl(1), "not_allowed: this key is not on the allowlist", A);
    mesh.runFor(10 * DIAL_BACKOFF_MAX);
    expect(mesh.orderCount(testUrl(1))).toBe(1);
    expect(mesh.dialView(testUrl(1))).toMatchObject({ state: "barred", peer_id: A.id });
  });

  test("DL2 a peer that has used muster.2 is not dialed over go-p2p 1.0 unless its allowlist entry permits it", () => {
    const mesh = new DialingMesh();
    mesh.join(A, { protocol: "muster/2" }).leave();
    mesh.dial(testUrl(1), A);
    expect(mesh.orders).toEqual([]);
    expect(mesh.dialView(testUrl(1)).last_error).toMatch(/^downgrade_refused: /);
    mesh.run("allow", {
      publicKey: A.publicKey,
      peerId: A.id,
      label: "",
      roles: ["worker"],
      readmit: false,
      go_p2p: true,
    });
    expect(mesh.orderCount(testUrl(1))).toBe(1);
  });

  test("DL6 an address follows its peer to a rotated key", () => {
    const mesh = new DialingMesh();
    const peer = mesh.join(A, { protocol: "muster/2" });
    mesh.dial(testUrl(1), A);
    const { epoch } = peer;
    mesh.run("rotate_peer", {
      peerId: A.id,
      epoch,
      newPeerId: B.id,
      newPublicKey: B.publicKey,
    });
    expect(mesh.dialView(testUrl(1))).toMatchObject({ peer_id: B.id, public_key: B.publicKey });
  });
});

describe("removing an address", () => {
  test("DL11 removing an address ends the session that was dialed there, and keeps the peer's record", () => {
    const mesh = new DialingMesh();
    const { id } = mesh.dial(testUrl(1), A);
    const peer = mesh.answerDial(testUrl(1), A);
    mesh.run("remove_dial", { id });
    expect(peer.endFault?.code).toBe("forgotten");
    expect(peer.view.state).toBe("stale");
    mesh.runFor(10 * DIAL_BACKOFF_MAX);
    expect(mesh.orders).toHaveLength(1);
    expect(mesh.errorOf("remove_dial", { id }).code).toBe("not_found");
  });

  test("DL11 removing an address keeps a session that the peer opened", () => {
    const mesh = new DialingMesh();
    const own = mesh.join(A);
    const { id } = mesh.dial(testUrl(1), A);
    mesh.run("remove_dial", { id });
    expect([own.endFault, own.view.state]).toEqual([null, "active"]);
  });

  test("DL11 a peer that answers an attempt is refused if its address was removed meanwhile", () => {
    const mesh = new DialingMesh();
    const { id } = mesh.dial(testUrl(1), A);
    const { dial } = mesh.newestOrder(testUrl(1));
    mesh.run("remove_dial", { id });
    expect(mesh.errorOf("admit", new TestPeer(mesh, A).admitInput({ dial })).code).toBe(
      "not_allowed",
    );
  });

  test("DL11 removing the last address of a peer that never joined also removes its record", () => {
    const mesh = new DialingMesh();
    const [one, two] = [mesh.dial(testUrl(1), A), mesh.dial(testUrl(2), A)];
    mesh.run("remove_dial", { id: one.id });
    expect(mesh.run("get_peer", { id: A.id }).state).toBe("discovered");
    mesh.run("remove_dial", { id: two.id });
    expect(mesh.errorOf("get_peer", { id: A.id }).code).toBe("not_found");
  });

  test("DL11 forgetting a peer removes its addresses", () => {
    const mesh = new DialingMesh();
    mesh.dial(testUrl(1), A);
    mesh.answerDial(testUrl(1), A);
    mesh.run("forget_peer", { id: A.id });
    expect(mesh.run("list_dials", {}).dials).toEqual([]);
    mesh.runFor(10 * DIAL_BACKOFF_MAX);
    expect(mesh.orders).toHaveLength(1);
  });
});

describe("the audit log", () => {
  test("DL13 the audit log shows who registered an address and who removed it", () => {
    const mesh = new DialingMesh();
    const { id } = mesh.dial(testUrl(1), A, "node");
    mesh.run("remove_dial", { id });
    const { entries } = mesh.run("list_audit", { limit: 10 });
    expect(
      entries.map(({ act, actor, subject, outcome }) => [act, actor, subject, outcome]),
    ).toEqual([
      ["remove_dial", "admin", id, "ok"],
      ["dial_peer", "admin", testUrl(1), "ok"],
    ]);
    expect(entries[1]?.detail).toEqual({ dial: id, name: "node", public_key: A.publicKey });
  });
});
