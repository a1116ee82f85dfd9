import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { api } from "../durable/api.ts";
import { NoisePeer } from "../durable/noise-peer.ts";

afterEach(async () => {
  await reset();
});

describe("the facts of a mesh of four cells", () => {
  it("CE21 a token is valid everywhere once it is created, and nowhere once it is revoked", async () => {
    const created = await api<{ id: string; token: string }>("POST", "/v1/tokens", {
      label: "many",
      scope: "viewer",
    });
    const { id, token } = created.body;
    const use = async () =>
      (await api("GET", "/v1/tasks", undefined, { Authorization: `Bearer ${token}` })).status;
    const used = await Promise.all(Array.from({ length: 24 }, use));
    expect(used).toEqual(used.map(() => 200));
    expect((await api("DELETE", `/v1/tokens/${id}`)).status).toBeLessThan(300);
    const refused = await Promise.all(Array.from({ length: 24 }, use));
    expect(refused).toEqual(refused.map(() => 401));
  });

  it("CE25 tightening the auth mode ends the sessions of all cells before it returns", async () => {
    const peers = await Promise.all(Array.from({ length: 16 }, () => NoisePeer.join()));
    const answer = await api("PUT", "/v1/auth-mode", { mode: "allowlist" });
    expect(answer.status).toBe(200);
    const closed = await Promise.all(peers.map((peer) => peer.closed));
    expect(closed.map(({ code }) => code)).toEqual(peers.map(() => 4403));
    const listed = await Promise.all(
      peers.map(({ keys }) => api<{ state: string }>("GET", `/v1/peers/${keys.id}`)),
    );
    for (const { body } of listed) expect(body.state).not.toBe("active");
  });
});
