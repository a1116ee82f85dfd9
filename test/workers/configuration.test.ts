import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { readConfig } from "../../durable/config.ts";
import type { Env } from "../../durable/env.ts";
import { exampleOf, operations } from "./description.ts";
import { callWith, problemOf, type Call } from "./http.ts";

const UPGRADE: Call = { headers: { Upgrade: "websocket" } };
/** Invalid values that are easy to find in an answer. */
const BAD = {
  short: "5eC2e7",
  text: "N0t-a-key-at-all",
  long: "5e".repeat(33),
  base64: "c2VjcmV0c2VjcmV0c2VjcmV0",
};

const detailOf = async (variables: object): Promise<string> => {
  const reply = await callWith(variables, "GET", "/v1/mesh");
  for (const value of [...Object.values(variables), ...Object.values(BAD)])
    if (typeof value === "string" && value !== "") expect(reply.text).not.toContain(value);
  expect(reply.status).toBe(500);
  const { detail } = problemOf(reply, "misconfigured");
  expect(detail).toMatch(/\. See docs\/configuration\.md$/);
  return detail;
};

describe("a mesh that is not configured", () => {
  it.each(["MESH_IDENTITY_KEY", "MESH_DISCOVERY_KEY", "MESH_SIGNING_KEY"])(
    "HT8 reports that %s is missing or wrong, without its value",
    async (name) => {
      expect(await detailOf({ [name]: undefined })).toContain(`${name} is missing`);
      for (const value of ["", ...Object.values(BAD)])
        expect(await detailOf({ [name]: value })).toMatch(new RegExp(`^${name} is not 32 bytes`));
    },
  );

  it.each([
    ["ADMIN_TOKEN", undefined, "is missing"],
    ["ADMIN_TOKEN", "", "shorter than 16"],
    ["ADMIN_TOKEN", "fifteen-letters", "shorter than 16"],
    // A header cannot contain it, so it could never be used.
    ["ADMIN_TOKEN", "correct horse battery staple", "bearer token"],
    ["ADMIN_TOKEN", "0123456789abcdef\n", "bearer token"],
    ["ADMIN_TOKEN", "0".repeat(513), "bearer token"],
    ["AUTH_MODE", "closed-for-all", "allowlist"],
    ["DISCOVERY_PUBLIC", "certainly", "true"],
    ["MESH_NAME", "-a bad name-", "letters"],
    ["PUBLIC_URL", "mesh-without-a-scheme", "https://mesh.example"],
    ["GO_P2P", "sometimes", "true"],
    ["ALLOW_LOOPBACK", "perhaps", "true"],
    ["OUTBOUND_ALLOW", "10.0.0.5, *.internal", "entry 2"],
    ["OUTBOUND_ALLOW", "10.0.0.5", "needs an OUTBOUND_PROXY"],
    ["ALERT_WEBHOOKS", "https://pager.example/a, pager.example", "list of at most 5"],
    ["ALERT_WEBHOOKS", "https://pager.example/a, http://10.0.0.7/b", "entry 2"],
    ["ALERT_WEBHOOKS", "https://pager.example:22/5ecret", "port"],
    ["ALERT_WEBHOOKS", `https://pager.example/${"5ecret".repeat(400)}`, "2048 characters"],
    ["PEERS_MAX", "many", "number"],
    ["PEERS_MAX", "-7654", "below 1"],
    ["DIALS_MAX", "-4321", "below 1"],
    ["HANDSHAKES_PER_MINUTE", "12.375", "whole"],
    ["FAILED_DELIVERIES_PER_MINUTE", "-7531", "below 1"],
    ["TRUSTED_PROXIES", "10.0.0.1, anybody", "entry 2"],
    ["CORS_ORIGINS", "https://app.example, https://app.example/", "entry 2"],
    ["CORS_ORIGINS", "https://*.app.example", "wildcard"],
    ["PREFLIGHTS_PER_MINUTE", "-8642", "below 1"],
    ["SELECTION_POLICY", "the-cheapest", "expected-cost"],
    ["SHARE_MAX", "1.5625", "above 1"],
    ["NEWCOMER_SHARE", "-0.4375", "below 0"],
    ["SCORE_WEIGHTS", "latency=0.5,reliability=0.5,hops=0.2,distance=0.1", "sum to 1"],
    ["SCORE_WEIGHTS", "latency=0.7,reliability=0.5,hops=-0.3,distance=0.1", "sum to 1"],
    ["SCORE_WEIGHTS", "latency=0.7,reliability=0.3", "sum to 1"],
    ["SCORE_WEIGHTS", "latency=0.7,reliability=0.3,hops=,distance=0", "sum to 1"],
    ["MESH_LATITUDE", "north", "degrees"],
    ["MESH_LONGITUDE", "180.5", "degrees"],
    ["MESH_ROTATION_ENDS", "tomorrow morning", "RFC 3339"],
    ["MESH_IDENTITY_KEY_NEXT", BAD.text, "32 bytes"],
  ])("HT8 reports that %s is wrong, without its value (%j)", async (name, value, fault) => {
    const detail = await detailOf({ [name]: value });
    expect(detail).toMatch(new RegExp(`^${name} `));
    expect(detail).toContain(fault);
  });

  it("HT8 reports a key rotation without an end, or with an end too far ahead", async () => {
    const next = { MESH_IDENTITY_KEY_NEXT: "44".repeat(32) };
    expect(await detailOf(next)).toMatch(/^MESH_ROTATION_ENDS is missing/);
    const ends = new Date(Date.now() + 31 * 86_400_000).toISOString();
    expect(await detailOf({ ...next, MESH_ROTATION_ENDS: ends })).toMatch(/^MESH_ROTATION_ENDS is/);
  });

  it("HT8 reports a key that is used under two names", async () => {
    const detail = await detailOf({ MESH_DISCOVERY_KEY: "11".repeat(32) });
    expect(detail).toMatch(/^MESH_IDENTITY_KEY, MESH_DISCOVERY_KEY and MESH_SIGNING_KEY must be/);
  });

  it("HT8 reports all faults at once", async () => {
    const detail = await detailOf({ ADMIN_TOKEN: undefined, MESH_SIGNING_KEY: BAD.text });
    expect(detail).toContain("ADMIN_TOKEN is missing");
    expect(detail).toContain("MESH_SIGNING_KEY is not");
  });

  it("HT8 answers with its faults on every route except the public texts, also without a token", async () => {
    for (const { method, path } of await operations()) {
      if (path === "/openapi.json" || path.startsWith("/troubleshooting")) continue;
      const request = { ...UPGRADE, token: null };
      const reply = await callWith({ MESH_SIGNING_KEY: "" }, method, exampleOf(path), request);
      expect(problemOf(reply, "misconfigured").detail).toContain("MESH_SIGNING_KEY");
    }
  });

  it("HT8 reports that replication needs both a URL and a token", async () => {
    const [url, token] = ["https://redis.example", "a token for redis"];
    for (const half of [{ UPSTASH_REDIS_REST_URL: url }, { UPSTASH_REDIS_REST_TOKEN: token }])
      expect(await detailOf(half)).toContain("must be set together");
    const wrong = { UPSTASH_REDIS_REST_URL: "redis://x", UPSTASH_REDIS_REST_TOKEN: token };
    expect(await detailOf(wrong)).toContain("UPSTASH_REDIS_REST_URL is not a URL");
  });
});

describe("an outbound proxy that is not configured", () => {
  it("HT8 reports that it needs both a URL and a secret, of which neither is shown", async () => {
    const [url, secret] = ["http://127.0.0.1:9", "5e".repeat(32)];
    for (const half of [{ OUTBOUND_PROXY: url }, { OUTBOUND_PROXY_SECRET: secret }])
      expect(await detailOf(half)).toContain("must be set together");
    const noUrl = { OUTBOUND_PROXY: "ftp://x.example.com", OUTBOUND_PROXY_SECRET: secret };
    expect(await detailOf(noUrl)).toContain("OUTBOUND_PROXY is not a URL");
    const short = { OUTBOUND_PROXY: url, OUTBOUND_PROXY_SECRET: "0123456789abcde" };
    expect(await detailOf(short)).toContain("OUTBOUND_PROXY_SECRET is shorter than 32");
    const noHeader = { OUTBOUND_PROXY: url, OUTBOUND_PROXY_SECRET: "a blank ".repeat(8) };
    expect(await detailOf(noHeader)).toContain("OUTBOUND_PROXY_SECRET has characters");
  });
});

describe("a configuration", () => {
  it("HT8 may contain keys in hex or base64, with blanks around them", async () => {
    const base64 = btoa(String.fromCharCode(...new Uint8Array(32).fill(0x11)));
    const expected = await callWith({}, "GET", "/v1/mesh");
    for (const key of [base64, `  ${base64}\n`, `${"11".repeat(32)}\n`]) {
      const reply = await callWith({ MESH_IDENTITY_KEY: key }, "GET", "/v1/mesh");
      expect(reply.body).toMatchObject({ public_key: expected.body["public_key"] });
    }
  });

  it("AD60 that names no auth mode is an allowlist", async () => {
    for (const AUTH_MODE of [undefined, "allowlist"]) {
      const read = readConfig({ ...(env as Env), AUTH_MODE }, Date.now());
      expect(read).toMatchObject({ value: { coordinator: { authMode: "allowlist" } } });
    }
    const open = readConfig({ ...(env as Env), AUTH_MODE: "open" }, Date.now());
    expect(open).toMatchObject({ value: { coordinator: { authMode: "open" } } });
  });

  it("HT8 may omit every value that has a default", async () => {
    const bare = { MESH_NAME: undefined, AUTH_MODE: undefined, DISCOVERY_PUBLIC: undefined };
    const reply = await callWith(bare, "GET", "/v1/mesh");
    expect(reply).toMatchObject({ status: 200, body: { name: "muster" } });
  });

  it("HT8 sets the mesh's name", async () => {
    const reply = await callWith({ MESH_NAME: "The lab_1" }, "GET", "/v1/mesh");
    expect(reply.body).toMatchObject({ name: "The lab_1" });
  });
});
