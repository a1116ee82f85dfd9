import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import { platformRandom } from "../../src/crypto/primitives.ts";
import type { KeyPair } from "../../src/crypto/identity.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import {
  AllowEntry,
  DenyList,
  MeshView,
  RevokedPeer,
  type PeerView,
} from "../../src/protocol/http.ts";
import { CLOSE } from "../../src/protocol/errors.ts";
import { GoPeer } from "../durable/go-peer.ts";
import { call, callWith, problemOf } from "./http.ts";

afterEach(async () => {
  await reset();
});

const keyOf = (peer: GoPeer): string => toHex(peer.keys.publicKey);
const pathOf = (peer: GoPeer): string => `/v1/peers/${peer.keys.id}`;
const entryOf = (peer: GoPeer): string => `/v1/allowlist/${keyOf(peer)}`;
const entries = async (): Promise<AllowEntry[]> =>
  (await call<{ entries: AllowEntry[] }>("GET", "/v1/allowlist")).body.entries;
const setMode = (mode: string) => call("PUT", "/v1/auth-mode", { json: { mode } });

describe("GET /v1/mesh and /healthz", () => {
  it("HT1 show any caller the mesh's identity, and that it is running", async () => {
    const { status, body } = await call("GET", "/v1/mesh", { token: null });
    expect(status).toBe(200);
    expect(MeshView.strict().parse(body)).toMatchObject({
      name: "muster",
      // Public keys of the test's private keys (RFC 7748 and RFC 8032), computed by another library.
      public_key: "7b4e909bbe7ffe44c465a220037d608ee35897d31ef972f07f74892cb0f73f13",
      discovery_key: "0faa684ed28867b97f4a6a2dee5df8ce974e76b7018e3f22a1c4cf2678570f20",
      signing_key: "17cb79fb2b4120f2b1ec65e4198d6e08b28e813feb01e4a400839b85e18080ce",
      protocols: expect.arrayContaining(["go-p2p/1.0"]),
    });
    const health = await call("GET", "/healthz", { token: null });
    expect(health).toMatchObject({ status: 200, body: { status: "ok" } });
  });

  it("CL66 with PUBLIC_URL the mesh states it, and the link of a join key leads there", async () => {
    for (const [PUBLIC_URL, url, link] of [
      ["https://mesh.example:8443/", "https://mesh.example:8443", "muster://mesh.example:8443/#"],
      ["https://MESH.example/a/b", "https://mesh.example/a/b", "muster://mesh.example/a/b/#"],
    ] as const) {
      const shown = await callWith<MeshView>({ PUBLIC_URL }, "GET", "/v1/mesh", { token: null });
      expect(MeshView.strict().parse(shown.body).public_url).toBe(url);
      const created = await callWith<{ link: string; id: string }>(
        { PUBLIC_URL },
        "POST",
        "/v1/join-keys",
        { json: {} },
      );
      expect(created.body.link.slice(0, link.length)).toBe(link);
      await call("DELETE", `/v1/join-keys/${created.body.id}`);
    }
    expect((await call("GET", "/v1/mesh", { token: null })).body).not.toHaveProperty("public_url");
  });

  it("SV21 /readyz asks a coordinator", async () => {
    const ready = await call("GET", "/readyz", { token: null });
    expect(ready).toMatchObject({ status: 200, body: { status: "ready" } });
  });

  it("HT1 show the same identity that sessions have", async () => {
    const peer = await GoPeer.join();
    expect((await call("GET", "/v1/mesh")).body).toMatchObject({ id: peer.meshId });
  });
});

describe("GET /v1/peers/:id", () => {
  it("HS2 shows a peer after it has proved its key", async () => {
    const peer = await GoPeer.connect({ name: "peer 1" });
    await peer.handshake();
    problemOf(await call("GET", pathOf(peer)), "not_found");
    await peer.prove();
    const { status, body } = await call("GET", pathOf(peer));
    expect(status).toBe(200);
    expect(RevokedPeer.strict().parse(body)).toMatchObject({
      id: peer.keys.id,
      name: "peer 1",
      public_key: keyOf(peer),
      role: "worker",
      connected: true,
      state: "active",
      protocol: "go-p2p/1.0",
    });
  });
});

describe("the auth mode", () => {
  it("AD1 is the configured mode until another one is set", async () => {
    expect((await call("GET", "/v1/auth-mode")).body).toEqual({ mode: "open" });
    expect(await setMode("allowlist")).toMatchObject({ status: 200, body: { mode: "allowlist" } });
    expect((await call("GET", "/v1/auth-mode")).body).toEqual({ mode: "allowlist" });
    expect((await call("GET", "/v1/allowlist")).body).toMatchObject({ mode: "allowlist" });
    expect((await setMode("open")).body).toEqual({ mode: "open" });
  });

  it("AD3 ends the sessions of peers that are no longer allowed, before the call returns", async () => {
    const listed = await GoPeer.join();
    const other = await GoPeer.join();
    await call("PUT", entryOf(listed), { json: {} });
    await setMode("allowlist");
    expect(await other.closed).toMatchObject({ code: CLOSE.denied });
    expect((await call("GET", pathOf(other))).body).toMatchObject({ connected: false });
    expect((await call("GET", pathOf(listed))).body).toMatchObject({ connected: true });
  });
});

describe("the allowlist", () => {
  it("AD1 stores an entry, and replaces it", async () => {
    const peer = await GoPeer.join();
    const put = await call("PUT", entryOf(peer), { json: { label: "one", roles: ["dual"] } });
    expect(put.status).toBe(200);
    expect(AllowEntry.strict().parse(put.body)).toMatchObject({
      public_key: keyOf(peer),
      peer_id: peer.keys.id,
      label: "one",
      roles: ["dual"],
    });
    const again = await call("PUT", entryOf(peer), { json: {} });
    expect(again.body).toMatchObject({
      label: "",
      roles: ["worker"],
      added_at: put.body["added_at"],
    });
    expect(await entries()).toEqual([again.body]);
  });

  it("AD2 stores each role once", async () => {
    const peer = await GoPeer.join();
    const roles = ["worker", "worker", "controller"];
    const { body } = await call("PUT", entryOf(peer), { json: { roles } });
    expect(body).toMatchObject({ roles: ["worker", "controller"] });
  });

  it("AD3 DELETE removes an entry and ends the session that needed it", async () => {
    const peer = await GoPeer.join();
    await call("PUT", entryOf(peer), { json: {} });
    await setMode("allowlist");
    const removed = await call("DELETE", entryOf(peer));
    expect([removed.status, removed.text]).toEqual([204, ""]);
    expect(await peer.closed).toMatchObject({ code: CLOSE.denied });
    expect(await entries()).toEqual([]);
    problemOf(await call("DELETE", entryOf(peer)), "not_found");
  });
});

describe("POST /v1/peers/:id/revoke", () => {
  it("AD4 ends the session and refuses the key, also in open mode", async () => {
    const peer = await GoPeer.join();
    const { status, body } = await call("POST", `${pathOf(peer)}/revoke`);
    expect(status).toBe(200);
    expect(RevokedPeer.strict().parse(body)).toMatchObject({ state: "revoked", connected: false });
    expect(await peer.closed).toMatchObject({ code: CLOSE.denied });
    const again = await GoPeer.connect({ keys: peer.keys });
    await again.handshake();
    await again.prove().catch(() => null);
    expect(await again.closed).toMatchObject({ code: CLOSE.denied });
  });

  it("AD4 may be repeated", async () => {
    const peer = await GoPeer.join();
    const first = await call<PeerView>("POST", `${pathOf(peer)}/revoke`);
    const second = await call("POST", `${pathOf(peer)}/revoke`);
    // The score changes with time; nothing else does.
    const { score: _, ...same } = first.body;
    expect(second.status).toBe(200);
    expect(second.body).toMatchObject(same);
  });

  it("AD4 answers 504 with Retry-After if a session does not confirm its end", async () => {
    const unconfirmed = {
      ok: false,
      error: { code: "revoke_unconfirmed", detail: "being repeated", retryAfter: 10 },
    };
    const stub = { execute: async () => [unconfirmed] };
    const COORDINATOR = { idFromName: () => "id", get: () => stub };
    const reply = await callWith({ COORDINATOR }, "POST", `/v1/peers/${"0".repeat(32)}/revoke`);
    expect(problemOf(reply, "revoke_unconfirmed")).toMatchObject({ status: 504, retry_after: 10 });
    expect(reply.headers.get("Retry-After")).toBe("10");
  });

  it.each([`${"12".repeat(31)}92`, `ed${"ff".repeat(30)}7f`])(
    "CL34 refuses an encoding of a key that is not canonical, which would bar nobody: %s",
    async (key) => {
      for (const [method, path] of [
        ["POST", `/v1/peers/${key}/revoke`],
        ["DELETE", `/v1/denylist/${key}`],
      ] as const) {
        const reply = await call(method, path);
        const [issue] = (reply.body as { issues: { path: string; message: string }[] }).issues;
        expect([reply.status, issue?.path]).toEqual([400, "id"]);
        expect(issue?.message).toContain("not the canonical encoding");
      }
    },
  );

  it("AD30 bars a key that the mesh never met, by its ID or by itself, when it comes", async () => {
    for (const nameOf of [({ id }: KeyPair) => id, ({ publicKey }: KeyPair) => toHex(publicKey)]) {
      const keys = newKeyPair(platformRandom);
      const { status, body } = await call("POST", `/v1/peers/${nameOf(keys)}/revoke`);
      expect(status).toBe(200);
      expect(RevokedPeer.strict().parse(body)).toMatchObject({ id: keys.id, known: false });
      const peer = await GoPeer.connect({ keys });
      await peer.handshake();
      await peer.prove().catch(() => null);
      expect(await peer.closed).toMatchObject({ code: CLOSE.denied });
    }
  });

  it("AD31 the denylist shows who barred a key, and DELETE lifts the revocation", async () => {
    const peer = await GoPeer.join();
    await call("POST", `${pathOf(peer)}/revoke`);
    const { body } = await call("GET", "/v1/denylist");
    expect(DenyList.parse(body).entries).toMatchObject([
      { peer_id: peer.keys.id, reason: "revoked", denied_by: "admin", rotated_to: null },
    ]);
    expect((await call("DELETE", `/v1/denylist/${peer.keys.id}`)).status).toBe(204);
    expect((await call("GET", "/v1/denylist")).body).toMatchObject({ entries: [] });
    await GoPeer.join({ keys: peer.keys });
  });

  it("AD5 is lifted only by readmit", async () => {
    const peer = await GoPeer.join();
    await call("POST", `${pathOf(peer)}/revoke`);
    problemOf(await call("PUT", entryOf(peer), { json: {} }), "conflict");
    expect(await entries()).toEqual([]);
    const readmitted = await call("PUT", entryOf(peer), { json: { readmit: true } });
    expect(readmitted.status).toBe(200);
    const back = await GoPeer.join({ keys: peer.keys });
    expect((await call("GET", pathOf(back))).body).toMatchObject({ state: "active" });
  });
});

describe("DELETE /v1/peers/:id", () => {
  it("AD6 removes the record and ends the session", async () => {
    const peer = await GoPeer.join();
    const removed = await call("DELETE", pathOf(peer));
    expect([removed.status, removed.text]).toEqual([204, ""]);
    expect(await peer.closed).toMatchObject({ code: CLOSE.normal });
    problemOf(await call("GET", pathOf(peer)), "not_found");
    problemOf(await call("DELETE", pathOf(peer)), "not_found");
  });

  it("AD6 does not lift a revocation", async () => {
    const peer = await GoPeer.join();
    await call("POST", `${pathOf(peer)}/revoke`);
    await call("DELETE", pathOf(peer));
    problemOf(await call("PUT", entryOf(peer), { json: {} }), "conflict");
  });
});
