import { env } from "cloudflare:workers";
import { createExecutionContext, reset, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { platformRandom } from "../../src/crypto/primitives.ts";
import type { AuditView, Scope, TaskView } from "../../src/protocol/http.ts";
import { createApp } from "../../workers/app.ts";
import { api, peerView, until, type Answer } from "../durable/api.ts";
import { GoPeer } from "../durable/go-peer.ts";
import { NoisePeer } from "../durable/noise-peer.ts";

afterEach(async () => {
  await reset();
});

interface NewToken {
  readonly id: string;
  readonly token: string;
}

const newToken = async (scope: Scope): Promise<NewToken> =>
  (await api<NewToken>("POST", "/v1/tokens", { label: `a ${scope}`, scope })).body;

/** Sends requests with this token. */
const as =
  (token: string) =>
  <T>(method: string, path: string, body?: unknown): Promise<Answer<T>> =>
    api<T>(method, path, body, { Authorization: `Bearer ${token}` });

const audit = async (query = ""): Promise<AuditView[]> =>
  (await api<{ entries: AuditView[] }>("GET", `/v1/audit${query}`)).body.entries;

/** Everything that the coordinator has stored, as text. */
const stored = (): Promise<string> =>
  runInDurableObject(env.COORDINATOR.get(env.COORDINATOR.idFromName("coordinator")), (_, state) =>
    JSON.stringify(
      ["api_tokens", "join_keys", "audit"].map((table) =>
        state.storage.sql.exec(`SELECT * FROM ${table}`).toArray(),
      ),
    ),
  );

describe("API tokens", () => {
  const REQUESTS: readonly (readonly [method: string, path: string, body?: unknown])[] = [
    ["GET", "/v1/peers"],
    ["GET", "/v1/pointers"],
    ["GET", "/v1/tasks"],
    ["POST", "/v1/tasks", { kind: "echo" }],
    ["GET", "/v1/allowlist"],
    ["GET", "/v1/auth-mode"],
    ["PUT", "/v1/auth-mode", { mode: "open" }],
    ["GET", "/v1/tokens"],
    ["GET", "/v1/join-keys"],
    ["GET", "/v1/audit"],
  ];

  it.each([
    ["admin", [200, 200, 200, 202, 200, 200, 200, 200, 200, 200]],
    ["controller", [200, 200, 200, 202, 403, 403, 403, 403, 403, 403]],
    ["viewer", [200, 200, 200, 403, 200, 200, 403, 403, 403, 403]],
  ] as const)("AD9 allow a %s only what its scope permits", async (scope, statuses) => {
    const call = as((await newToken(scope)).token);
    const answers = [];
    for (const [method, path, body] of REQUESTS)
      answers.push((await call(method, path, body)).status);
    expect(answers).toEqual(statuses);
  });

  it("AD9 are stored hashed, listed without their secrets, and refused once revoked", async () => {
    const { id, token } = await newToken("viewer");
    expect(token).toMatch(new RegExp(`^mst_${id}[0-9a-f]{80}$`));
    expect(await stored()).not.toContain(token);
    const listed = JSON.stringify((await api("GET", "/v1/tokens")).body);
    expect(listed).toContain(`mst_${id}`);
    expect(listed).not.toContain(token);
    expect((await as(token)("GET", "/v1/peers")).status).toBe(200);
    expect((await api("DELETE", `/v1/tokens/${id}`)).status).toBe(204);
    expect((await as(token)("GET", "/v1/peers")).status).toBe(401);
    expect((await api("DELETE", "/v1/tokens/0000000000000000")).status).toBe(404);
  });

  it("AD9 are refused if they are invented or changed", async () => {
    const { token } = await newToken("admin");
    const other = token.endsWith("0") ? "1" : "0";
    for (const forged of [
      `${token.slice(0, -1)}${other}`,
      token.toUpperCase(),
      token.slice(0, -2),
      `mjk_${token.slice(4)}`,
    ]) {
      expect((await as(forged)("GET", "/v1/peers")).status).toBe(401);
    }
  });

  it("AD9 show a controller only its own tasks", async () => {
    const [mine, theirs] = [
      as((await newToken("controller")).token),
      as((await newToken("controller")).token),
    ];
    const task = (await mine<TaskView>("POST", "/v1/tasks", { kind: "echo" })).body;
    expect((await mine("GET", `/v1/tasks/${task.id}`)).status).toBe(200);
    expect((await theirs("GET", `/v1/tasks/${task.id}`)).status).toBe(404);
    expect((await theirs("DELETE", `/v1/tasks/${task.id}`)).status).toBe(404);
    expect((await theirs<{ tasks: unknown[] }>("GET", "/v1/tasks")).body.tasks).toEqual([]);
    expect((await api<{ tasks: unknown[] }>("GET", "/v1/tasks")).body.tasks).toHaveLength(1);
  });

  it("AD9 keep the idempotency keys of two callers apart", async () => {
    const [mine, theirs] = [await newToken("controller"), await newToken("controller")];
    const give = (token: string) =>
      api<TaskView>(
        "POST",
        "/v1/tasks",
        { kind: "echo" },
        { Authorization: `Bearer ${token}`, "Idempotency-Key": "same" },
      );
    const [one, again, other] = [
      await give(mine.token),
      await give(mine.token),
      await give(theirs.token),
    ];
    expect(again.body.id).toBe(one.body.id);
    expect(other.body.id).not.toBe(one.body.id);
  });
});

describe("join keys", () => {
  interface NewKey {
    readonly id: string;
    readonly key: string;
    readonly link: string;
  }
  const newKey = async (body: object = {}): Promise<NewKey> =>
    (await api<NewKey>("POST", "/v1/join-keys", body)).body;

  const tryToJoin = async (
    join_key: string,
    keys = newKeyPair(platformRandom),
  ): Promise<string> => {
    const peer = await NoisePeer.connect({ keys, hello: { join_key } });
    await peer.begin();
    await peer.prove();
    const { type, payload } = await peer.read();
    peer.close();
    return type === "welcome" ? "welcome" : (payload as { code: string }).code;
  };

  it("AD7 add peers that present them to the allowlist, as often as they have uses", async () => {
    await api("PUT", "/v1/auth-mode", { mode: "allowlist" });
    const { key, link, id } = await newKey({ label: "the lab", roles: ["dual"], uses: 2 });
    expect(link).toMatch(new RegExp(`^muster://mesh\\.test/#[0-9a-f]{64}&join=${key}$`));
    const first = newKeyPair(platformRandom);
    expect(await tryToJoin(key, first)).toBe("welcome");
    expect(await tryToJoin(key, first)).toBe("welcome"); // already listed: consumes no use
    expect(await tryToJoin(key)).toBe("welcome");
    expect(await tryToJoin(key)).toBe("join_key_invalid");
    const { entries } = (await api<{ entries: { peer_id: string }[] }>("GET", "/v1/allowlist"))
      .body;
    expect(entries).toHaveLength(2);
    expect(entries[0]).toMatchObject({ label: "the lab", roles: ["dual"] });
    expect(
      (await api<{ join_keys: object[] }>("GET", "/v1/join-keys")).body.join_keys,
    ).toMatchObject([{ id, uses_left: 0 }]);
    expect(await stored()).not.toContain(key);
  });

  it("AD7 admit no peer if they are revoked, invented or another kind of credential, also in open mode", async () => {
    const { key, id } = await newKey({ uses: 5 });
    expect((await api("DELETE", `/v1/join-keys/${id}`)).status).toBe(204);
    expect(await tryToJoin(key)).toBe("join_key_invalid");
    expect(await tryToJoin("mjk_made-up")).toBe("join_key_invalid");
    expect(await tryToJoin((await newToken("admin")).token)).toBe("join_key_invalid");
  });

  it("AD7 do not admit a revoked peer", async () => {
    const peer = await NoisePeer.join();
    await api("POST", `/v1/peers/${peer.keys.id}/revoke`);
    const { key } = await newKey();
    expect(await tryToJoin(key, peer.keys)).toBe("revoked");
    expect(
      (await api<{ join_keys: object[] }>("GET", "/v1/join-keys")).body.join_keys,
    ).toMatchObject([{ uses_left: 1 }]);
  });
});

describe("the audit log", () => {
  it("AD10 contains every admission decision and every administrative act, also refused ones", async () => {
    const { id: tokenId, token } = await newToken("admin");
    await as(token)("PUT", "/v1/auth-mode", { mode: "allowlist" });
    const keys = newKeyPair(platformRandom);
    const refused = await GoPeer.connect({ keys });
    await refused.handshake();
    const ping = await refused.read();
    refused.send("pong", { sentAt: 0, receivedAt: 0 }, { replyTo: ping.id });
    await refused.closed;
    await api("PUT", `/v1/allowlist/${toHex(keys.publicKey)}`, { label: "mine" });
    await GoPeer.join({ keys });
    await api("POST", `/v1/peers/${keys.id}/revoke`);
    await api("PUT", `/v1/allowlist/${toHex(keys.publicKey)}`, {});
    const entries = (await audit()).map(({ actor, act, outcome }) => [actor, act, outcome]);
    expect(entries.toReversed()).toEqual([
      ["admin", "create_token", "ok"],
      [`token:${tokenId}`, "set_auth_mode", "ok"],
      [`peer:${keys.id}`, "admit", "not_allowed"],
      ["admin", "allow", "ok"],
      [`peer:${keys.id}`, "admit", "ok"],
      ["admin", "revoke_peer", "ok"],
      ["admin", "allow", "conflict"],
    ]);
    expect(await audit(`?subject=${keys.id}&act=admit`)).toHaveLength(2);
    expect((await audit("?limit=1"))[0]).toMatchObject({ act: "allow", outcome: "conflict" });
  });

  it("AD10 contains no secret", async () => {
    const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const { token } = await newToken("viewer");
    await api("PUT", "/v1/webhook-sources/ci", {
      scheme: "standard-webhooks",
      secret,
      task: { kind: "build" },
    });
    const log = JSON.stringify(await audit());
    expect(log).toContain("put_webhook_source");
    expect(log).not.toContain(secret);
    expect(log).not.toContain(token);
  });
});

describe("limits", () => {
  const connectFrom = (address: string, variables: Record<string, string>, app = createApp()) => {
    const request = new Request("http://mesh.test/v1/connect", {
      headers: { "CF-Connecting-IP": address },
      cf: {},
    });
    return app.fetch(request, { ...env, ...variables }, createExecutionContext());
  };

  it("RL1 restrict the handshakes of one IPv4 address, and of one IPv6 /64", async () => {
    const app = createApp();
    const variables = { HANDSHAKES_PER_MINUTE: "3" };
    const statuses = async (addresses: string[]) => {
      const answers = [];
      for (const address of addresses)
        answers.push((await connectFrom(address, variables, app)).status);
      return answers;
    };
    expect(await statuses(Array.from({ length: 4 }, () => "192.0.2.7"))).toEqual([
      426, 426, 426, 429,
    ]);
    expect(await statuses(["192.0.2.8"])).toEqual([426]);
    expect(
      await statuses(["2001:db8::1", "2001:db8::2", "2001:db8:0:0:9::1", "2001:db8::4"]),
    ).toEqual([426, 426, 426, 429]);
    expect(await statuses(["2001:db8:0:1::1"])).toEqual([426]);
    const limited = await connectFrom("192.0.2.7", variables, app);
    expect(Number(limited.headers.get("Retry-After"))).toBeGreaterThan(0);
  });

  it("RL4 are held in memory: a socket without proof causes no write", async () => {
    const tables = () =>
      runInDurableObject(
        env.COORDINATOR.get(env.COORDINATOR.idFromName("coordinator")),
        (_, state) =>
          state.storage.sql.exec<{ changes: number }>("SELECT total_changes() AS changes").one()
            .changes,
      );
    await api("GET", "/v1/peers");
    const before = await tables();
    await api("GET", "/v1/peers", undefined, { Authorization: `Bearer mst_${"0".repeat(96)}` });
    const peer = await GoPeer.connect();
    await peer.handshake();
    peer.sendFrame(new Uint8Array(100));
    peer.close();
    expect(await tables()).toBe(before);
  });

  it("NX10 refuse go-p2p if GO_P2P is false", async () => {
    const app = createApp();
    const request = new Request("http://mesh.test/ws", { headers: { Upgrade: "websocket" } });
    const refused = await app.fetch(request, { ...env, GO_P2P: "false" }, createExecutionContext());
    expect(await refused.json()).toMatchObject({ code: "version_unsupported" });
  });
});

describe("revocation", () => {
  it("AD8 is followed by no message to the peer, also with concurrent traffic", async () => {
    for (let round = 0; round < 8; round++) {
      const peer = await NoisePeer.join({ hello: { slots: 50 } });
      const work = Array.from({ length: 6 }, (_, i) =>
        api<TaskView>("POST", "/v1/tasks", { kind: `k${round}-${i}` }),
      );
      const revoked = api("POST", `/v1/peers/${peer.keys.id}/revoke`);
      const again = NoisePeer.connect({ keys: peer.keys }).then(async (other) => {
        await other.begin();
        await other.prove();
        return other.closed;
      });
      const outcome = await revoked;
      expect(outcome.status).toBe(200);
      const { body: late } = await api<TaskView>("POST", "/v1/tasks", { kind: `late${round}` });
      await Promise.all(work);
      expect((await peer.closed).code).toBe(4403);
      expect((await again).code).toBe(4403);
      expect(await peerView(peer.keys.id)).toMatchObject({
        state: "revoked",
        connected: false,
        tasks: 0,
      });
      const task = await until(
        async () => (await api<TaskView>("GET", `/v1/tasks/${late.id}`)).body,
        ({ state }) => state === "queued",
      );
      expect(task.attempts).toEqual([]);
    }
  });
});
