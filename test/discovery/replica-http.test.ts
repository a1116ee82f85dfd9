import { Hono } from "hono";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { PREFLIGHTS_PER_MINUTE } from "../../src/access/page-origins.ts";
import * as primitives from "../../src/crypto/primitives/hashes.ts";
import { readerToken } from "../../src/discovery/epoch-secrets.ts";
import { ERROR_CODES } from "../../src/protocol/errors.ts";
import { EPOCH_LIFETIME } from "../../src/protocol/constants.ts";
import { PointerList } from "../../src/protocol/http.ts";
import { replicaRoutes } from "../../workers/replica-routes.ts";
import { KEYS } from "../coordinator/mesh.ts";
import { hexBytes, present } from "../must.ts";
import { ReplicatedMesh } from "./replicated-mesh.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

let scene: ReplicatedMesh;

describe("a replica over HTTP", () => {
  const app = new Hono();
  replicaRoutes(app, async () => scene.replica);
  const ask = (path: string, token?: string) =>
    app.request(path, token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } });
  let reader: string;

  beforeEach(async () => {
    scene = new ReplicatedMesh();
    scene.mesh.join(KEYS[0]);
    await scene.replicateAll();
    await scene.open(false);
    await scene.replica.mayRead(""); // the replica has read the store
    reader = readerToken(hexBytes(present(scene.mesh.discoveryKeys().epochs[0]).pointer_secret));
  });

  test("DS18 a replica serves callers with an epoch's reader token", async () => {
    const list = PointerList.parse(await (await ask("/v1/pointers", reader)).json());
    const [pointer] = list.pointers;
    expect(await (await ask(`/v1/pointers/${pointer?.id}`, reader)).json()).toEqual(pointer);
    const blob = await ask(`/v1/blobs/${pointer?.blob_id}`, reader);
    expect([blob.status, blob.headers.get("content-type")]).toEqual([
      200,
      "application/octet-stream",
    ]);
    expect((await ask("/v1/pointers")).status).toBe(401);
    expect((await ask("/v1/pointers", "0".repeat(64))).status).toBe(401);
    expect((await ask("/healthz")).status).toBe(200);
  });

  test("RL36 a replica limits the reads of an address, except with a reader token that is right", async () => {
    vi.stubEnv("DISCOVERY_READS_PER_MINUTE", "3");
    vi.stubEnv("TRUSTED_PROXIES", "::1");
    const limited = new Hono();
    replicaRoutes(limited, async () => scene.replica);
    const from = async (address: string, headers: Record<string, string> = {}) => {
      const env = { incoming: { socket: { remoteAddress: address } } };
      return (await limited.request(`/v1/blobs/${"0".repeat(32)}`, { headers }, env)).status;
    };
    const statuses: number[] = [];
    for (let n = 0; n < 5; n++)
      statuses.push(await from("192.0.2.1", { "X-Forwarded-For": `203.0.113.${n}` }));
    expect(statuses).toEqual([404, 404, 404, 429, 429]);
    expect(await from("::ffff:192.0.2.1")).toBe(429);
    expect(await from("192.0.2.2")).toBe(404);
    expect(await from("::1", { "X-Forwarded-For": "192.0.2.1" })).toBe(429);
    expect(await from("192.0.2.1", { Authorization: `Bearer ${reader}` })).toBe(404);
    // Its directory the replica reads for every caller, at most every 2 s; nothing is read for a refused one.
    scene.replicaStore.reads = 0;
    await ask("/healthz");
    const { reads } = scene.replicaStore;
    expect(await from("192.0.2.1", { Authorization: `Bearer ${"0".repeat(64)}` })).toBe(429);
    expect(scene.replicaStore.reads).toBe(2 * reads);
  });

  test("HT60 a replica lets the pages of CORS_ORIGINS read its answers, errors included, and no others", async () => {
    const asPage = (path: string, origin: string, method = "GET") => {
      const headers = new Headers({ Origin: origin, Authorization: `Bearer ${reader}` });
      if (method === "OPTIONS") headers.set("Access-Control-Request-Method", "GET");
      return app.request(path, { method, headers });
    };
    const page = "https://app.example";
    const paths = ["/healthz", "/v1/pointers", "/v1/pointers?x=1", "/v1/blobs/none", "/nothing"];
    for (const path of [...paths, "/troubleshooting"])
      for (const [origins, origin, named] of [
        [`${page},localhost`, page, page],
        [`${page},localhost`, "http://[::1]:5173", "http://[::1]:5173"],
        [`${page},localhost`, "https://evil.example", null],
        [`${page},localhost`, "null", null],
        ["*", "null", "*"],
        ["none", page, null],
        ["https://app.example/", page, null],
      ] as const) {
        vi.stubEnv("CORS_ORIGINS", origins);
        for (const method of ["GET", "OPTIONS", "POST"]) {
          const { headers, status } = await asPage(path, origin, method);
          expect([path, origins, headers.get("Access-Control-Allow-Origin")]).toEqual([
            path,
            origins,
            named,
          ]);
          expect(headers.get("Access-Control-Expose-Headers")).toBe(
            named === null ? null : "Allow, Retry-After, Muster-Directory-Age, Muster-Stale",
          );
          if (method !== "OPTIONS" || named === null) continue;
          expect([status, headers.get("Access-Control-Allow-Headers")]).toEqual([
            204,
            "Authorization",
          ]);
        }
      }
  });

  test("HT62 a replica bounds the preflights of an address", async () => {
    vi.stubEnv("CORS_ORIGINS", "*");
    vi.spyOn(Date, "now").mockReturnValue(Date.now());
    const headers = { Origin: "null", "Access-Control-Request-Method": "GET" };
    const preflightFrom = (address: string) =>
      app.request(
        "/v1/pointers",
        { method: "OPTIONS", headers },
        { incoming: { socket: { remoteAddress: address } } },
      );
    const statuses = new Set<number>();
    for (let n = 0; n <= PREFLIGHTS_PER_MINUTE; n++)
      statuses.add((await preflightFrom("192.0.2.9")).status);
    expect([...statuses]).toEqual([204, 429]);
    expect((await preflightFrom("192.0.2.10")).status).toBe(204);
  });

  test("DS17 a replica answers missing, expired and forbidden with the same bytes, after the same reads, MACs and signature checks", async () => {
    const [pointer] = scene.mesh.pointers;
    async function cost(path: string, token: string | undefined) {
      scene.replicaStore.reads = 0;
      scene.verifications = 0;
      const mac = vi.spyOn(primitives, "hmacSha256").mockClear();
      const response = await ask(path, token);
      return {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        body: await response.text(),
        reads: scene.replicaStore.reads,
        macs: mac.mock.calls.length,
        verifications: scene.verifications,
      };
    }
    for (const [kind, there] of [
      ["blobs", present(pointer).blob_id],
      ["pointers", present(pointer).id],
    ] as const) {
      const absent = await cost(`/v1/${kind}/${"0".repeat(32)}`, reader);
      expect(absent).toMatchObject({ status: 404, macs: 2 });
      expect(absent.reads).toBeGreaterThan(0);
      for (const shown of [undefined, "", "nonsense", "0".repeat(64)])
        expect(await cost(`/v1/${kind}/${there}`, shown)).toEqual(absent);
      expect((await cost(`/v1/${kind}/${there}`, reader)).status).toBe(200);
      if (kind === "blobs") continue;
      scene.mesh.advanceClock(EPOCH_LIFETIME);
      expect(await cost(`/v1/${kind}/${there}`, reader)).toEqual(absent);
    }
  });

  test("HT52 a replica explains every error code without a token, and repeats nothing of an unknown one", async () => {
    for (const code of ERROR_CODES) {
      const entry = await ask(`/troubleshooting/${code}`);
      expect([code, entry.status]).toEqual([code, 200]);
      expect(await entry.text()).toContain(`### \`${code}\`\n`);
    }
    expect((await ask("/troubleshooting")).status).toBe(200);
    const unknown = await ask("/troubleshooting/zebra");
    expect([unknown.status, await unknown.text()]).toEqual([
      404,
      expect.not.stringContaining("zebra"),
    ]);
  });

  test("PK14 a mesh and a replica name commands as an installed package has them", async () => {
    const text = await (await ask("/troubleshooting")).text();
    expect(text).toContain("`npx muster-mesh keygen --mesh");
    expect(text).not.toContain("npx muster ");
  });

  test("HT52 a replica that is not configured explains its codes, too", async () => {
    const broken = new Hono();
    replicaRoutes(broken, () => Promise.reject(new Error("set UPSTASH_REDIS_REST_URL")));
    vi.spyOn(console, "error").mockReturnValue();
    const answer = await broken.request("/v1/pointers");
    const { type } = (await answer.json()) as { type: string };
    expect((await broken.request(type)).status).toBe(200);
  });

  test("HT36 a replica answers other methods with 405 and those that it supports, also without a token", async () => {
    const methods = ["POST", "PUT", "PATCH", "DELETE", "PURGE", "OPTIONS"];
    for (const path of ["/healthz", "/v1/pointers", "/v1/pointers/x", "/v1/blobs/x"])
      for (const method of methods) {
        const { status, headers } = await app.request(path, { method });
        expect([path, method, status]).toEqual([path, method, method === "OPTIONS" ? 204 : 405]);
        expect(headers.get("Allow")).toBe("GET, HEAD, OPTIONS");
      }
    expect((await app.request("/v1/nothing", { method: "PUT" })).status).toBe(404);
  });

  test("HT31 DS27 a replica is read-only, refuses invalid requests, and answers 503 before the first copy", async () => {
    expect((await app.request("/v1/pointers", { method: "DELETE" })).status).toBe(405);
    expect((await ask("/v1/peers", reader)).status).toBe(404);
    for (const query of ["since=x", "cursor=x", "limit=0", "limit=501", "limit=1e1", "min_score=2"])
      expect((await ask(`/v1/pointers?${query}`, reader)).status).toBe(400);
    for (const query of ["x=1", "limit=1&limit=2", "cursor=", "__proto__=1", "minScore=1"]) {
      const refused = await ask(`/v1/pointers?${query}`, reader);
      expect([query, refused.status]).toEqual([query, 400]);
      const name = query.split("=")[0];
      expect(await refused.json()).toMatchObject({ issues: [{ path: name }] });
    }
    for (const path of [
      `/v1/pointers/${"0".repeat(32)}`,
      `/v1/blobs/${"0".repeat(32)}`,
      "/healthz",
    ])
      expect((await ask(`${path}?x=1`, reader)).status).toBe(400);
    expect((await ask("/v1/pointers/x", reader)).status).toBe(404);
    scene = new ReplicatedMesh();
    await scene.open();
    for (const path of ["/v1/pointers", `/v1/pointers/${"0".repeat(32)}`, "/healthz"]) {
      const answer = await ask(path);
      expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "2"]);
    }
  });
});
