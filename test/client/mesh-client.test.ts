import { describe, expect, test, vi } from "vitest";
import type { Fetch } from "../../src/client/http/api.ts";
import { controller } from "../../src/client/clients/mesh-client.ts";
import type { MusterApiError } from "../../src/client/index.ts";
import { api, html, json, noNetwork, problem, task, ID } from "./fake-api.ts";

const peer = (n: number) => ({
  id: String(n).padStart(32, "0"),
  name: `p${n}`,
  public_key: "0".repeat(64),
  address: "",
  role: "worker",
  added_at: "2026-01-01T00:00:00Z",
  last_seen: null,
  ping_ms: null,
  hops: null,
  geo_km: null,
  score: 0.5,
  confidence: 0,
  connected: false,
  state: "stale",
  protocol: null,
  go_p2p_generation: null,
  capabilities: [],
  slots: 1,
  tasks: 0,
  successes: 0,
  failures: 0,
});

describe("a request of the mesh client", () => {
  test("has the token, and a path below the base URL's path", async () => {
    const { mesh, requests } = api(json(task("queued")));
    await mesh.tasks.get(ID);
    expect(requests[0]?.url.href).toBe(`http://mesh.test/base/v1/tasks/${ID}`);
    expect(requests[0]?.headers.get("authorization")).toBe("Bearer secret");
  });

  test("escapes IDs, so that they can't change the path", async () => {
    const { mesh, requests } = api(problem(404, "not_found"));
    await expect(mesh.tasks.get("../peers?x=1")).rejects.toMatchObject({ code: "not_found" });
    expect(requests[0]?.url.pathname).toBe("/base/v1/tasks/..%2Fpeers%3Fx%3D1");
  });

  test("that the mesh refuses throws an error with the problem document's code", async () => {
    const issues = [{ path: "kind", message: "too long" }];
    const { mesh } = api(problem(400, "invalid_request", { issues }));
    await expect(mesh.tasks.get(ID)).rejects.toMatchObject({
      name: "MusterApiError",
      code: "invalid_request",
      status: 400,
      detail: "the detail (kind: too long)",
    });
  });

  test.each([
    ["the detail names the issue", "the: detail", [["the", "detail"]], "the: detail"],
    [
      "the detail is the message of the issue",
      "too long",
      [["kind", "too long"]],
      "kind: too long",
    ],
    ["the issue has no path", "too long", [["", "too long"]], "too long"],
    [
      "an issue occurs twice",
      "wrong",
      [
        ["a", "b"],
        ["a", "b"],
      ],
      "wrong (a: b)",
    ],
    [
      "there are others",
      "wrong a: b",
      [
        ["a", "b"],
        ["c", "d"],
      ],
      "wrong a: b (c: d)",
    ],
  ] as const)(
    "CL41 that the mesh refuses tells each text once: %s",
    async (_, detail, pairs, text) => {
      const issues = pairs.map(([path, message]) => ({ path, message }));
      const { mesh } = api(problem(400, "invalid_request", { detail, issues }));
      await expect(mesh.tasks.get(ID)).rejects.toMatchObject({ detail: text });
    },
  );

  test("that another server answers throws invalid_response", async () => {
    await expect(api(html).mesh.tasks.get(ID)).rejects.toMatchObject({
      code: "invalid_response",
      status: 502,
    });
    const wrongShape = json({ hello: "world" });
    await expect(api(wrongShape).mesh.tasks.get(ID)).rejects.toMatchObject({
      code: "invalid_response",
    });
  });

  test("that is not answered throws unreachable after four retries", async () => {
    vi.useFakeTimers();
    const { mesh, requests } = api(noNetwork);
    const failed = expect(mesh.tasks.get(ID)).rejects.toMatchObject({
      code: "unreachable",
      status: 0,
    });
    await vi.runAllTimersAsync();
    await failed;
    expect(requests).toHaveLength(5);
    vi.useRealTimers();
  });

  test("that reads is retried while the mesh is unreachable or busy", async () => {
    vi.useFakeTimers();
    const { mesh, requests } = api(noNetwork, problem(503, "unavailable"), json(task("queued")));
    const reading = mesh.tasks.get(ID);
    await vi.runAllTimersAsync();
    expect((await reading).state).toBe("queued");
    expect(requests).toHaveLength(3);
    vi.useRealTimers();
  });

  test("that changes something without an idempotency key is not retried", async () => {
    const { mesh, requests } = api(problem(503, "unavailable", { retry_after: 2 }));
    await expect(mesh.peers.revoke("0".repeat(32))).rejects.toMatchObject({
      code: "unavailable",
      retryAfter: 2,
    });
    expect(requests).toHaveLength(1);
  });

  test("HT53 has the URL of its explanation at the mesh that was called, whatever the answer says", async () => {
    const type = "https://evil.example/troubleshooting/conflict";
    const { mesh } = api(problem(409, "conflict", { type }), problem(409, "zebra", { type }), html);
    const helpUrl = async () =>
      mesh.peers.revoke("0".repeat(32)).catch((error: MusterApiError) => error.helpUrl);
    expect(await helpUrl()).toBe("http://mesh.test/base/troubleshooting/conflict");
    expect(await helpUrl()).toBeUndefined();
    expect(await helpUrl()).toBeUndefined();
  });

  test("does not follow a redirect, which would send the token to another server", async () => {
    const fetch = vi.fn<Fetch>(() =>
      Promise.resolve(new Response(null, { status: 302, headers: { location: "http://evil" } })),
    );
    const mesh = controller({ url: "http://mesh.test", token: "secret", fetch });
    await expect(mesh.tasks.get(ID)).rejects.toMatchObject({
      code: "invalid_response",
      status: 302,
    });
    expect(fetch).toHaveBeenCalledExactlyOnceWith(
      expect.any(String),
      expect.objectContaining({ redirect: "manual" }),
    );
  });
});

describe("tasks.submit", () => {
  test("sends the given options only, so that the mesh's defaults apply", async () => {
    const { mesh, requests } = api(json(task("queued"), 202));
    await mesh.tasks.submit("sum", [1, 2], {
      capabilities: ["gpu"],
      maxAttempts: 5,
      leaseSeconds: 9,
    });
    expect(requests[0]).toMatchObject({
      method: "POST",
      body: {
        kind: "sum",
        payload: [1, 2],
        requirements: { capabilities: ["gpu"] },
        max_attempts: 5,
        lease_seconds: 9,
      },
    });
    expect(requests[0]?.body).not.toHaveProperty("priority");
  });

  test("sends the caller's own idempotency key", async () => {
    const { mesh, requests } = api(json(task("queued"), 202));
    await mesh.tasks.submit("sum", null, { idempotencyKey: "order 66" });
    expect(requests[0]?.headers.get("idempotency-key")).toBe("order 66");
  });

  test("keeps its idempotency key across retries, and generates a new one for each call", async () => {
    vi.useFakeTimers();
    const { mesh, requests } = api(
      noNetwork,
      problem(503, "unavailable"),
      json(task("queued"), 202),
      json(task("queued"), 202),
    );
    const assigning = mesh.tasks.submit("sum");
    await vi.runAllTimersAsync();
    await assigning;
    await mesh.tasks.submit("sum");
    const keys = requests.map(({ headers }) => headers.get("idempotency-key"));
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(keys[1]).toBe(keys[0]);
    expect(keys[2]).toBe(keys[0]);
    expect(keys[3]).not.toBe(keys[0]);
    vi.useRealTimers();
  });
});

describe("tasks.wait", () => {
  test("polls in rounds of 25 s until the task has ended", async () => {
    const { mesh, requests } = api(
      json(task("running")),
      json(task("running")),
      json(task("failed")),
    );
    expect((await mesh.tasks.wait(ID)).state).toBe("failed");
    expect(requests.map(({ url }) => url.searchParams.get("wait"))).toEqual(["25", "25", "25"]);
  });

  test("throws the task's last state when the timeout has passed", async () => {
    const { mesh } = api(json(task("running")));
    await expect(mesh.tasks.wait(ID, { timeoutMs: 0 })).rejects.toMatchObject({
      code: "wait_timeout",
      task: { state: "running" },
    });
  });

  test("allows each request the time that it asks the mesh to wait, plus the request timeout", async () => {
    const timeout = vi.spyOn(AbortSignal, "timeout");
    const { mesh } = api(json(task("failed")));
    await mesh.tasks.wait(ID);
    await mesh.tasks.get(ID);
    expect(timeout.mock.calls).toEqual([[55_000], [30_000]]);
    timeout.mockRestore();
  });

  test("rejects when the caller's signal aborts during a request", async () => {
    const fetch: Fetch = (_url, { signal }) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
      });
    const mesh = controller({ url: "http://mesh.test", fetch });
    const abort = new AbortController();
    const waiting = mesh.tasks.wait(ID, { signal: abort.signal });
    abort.abort(new Error("the user left"));
    await expect(waiting).rejects.toThrow("the user left");
  });

  test("rejects when the caller's signal aborts between two retries", async () => {
    vi.useFakeTimers();
    const { mesh, requests } = api(problem(503, "unavailable", { retry_after: 20 }));
    const abort = new AbortController();
    const ended = expect(mesh.tasks.wait(ID, { signal: abort.signal })).rejects.toThrow(
      "the user left",
    );
    await vi.advanceTimersByTimeAsync(10_000);
    abort.abort(new Error("the user left"));
    await ended;
    expect(requests).toHaveLength(1);
    vi.useRealTimers();
  });
});

describe("a list", () => {
  test("requests each page when it is reached", async () => {
    const { mesh, requests } = api(
      json({ peers: [peer(1), peer(2)], next_cursor: "c1" }),
      json({ peers: [peer(3)], next_cursor: null }),
    );
    const names: string[] = [];
    for await (const { name } of mesh.peers.list({ state: "stale" })) {
      names.push(name);
      if (name === "p2") expect(requests).toHaveLength(1);
    }
    expect(names).toEqual(["p1", "p2", "p3"]);
    expect(requests.map(({ url }) => url.search)).toEqual([
      "?state=stale",
      "?state=stale&cursor=c1",
    ]);
  });
});

describe("dials", () => {
  const dial = {
    id: "0".repeat(32),
    url: "wss://node.example/ws",
    name: "",
    public_key: null,
    peer_id: null,
    state: "dialling",
    since: "2026-01-01T00:00:00Z",
    next_at: null,
    attempts: 1,
    failures: 0,
    last_error: null,
    added_at: "2026-01-01T00:00:00Z",
    added_by: "admin",
  };

  test("are put, with a retry if the answer was lost, listed and removed", async () => {
    const { mesh, requests } = api(
      noNetwork,
      json(dial, 201),
      json({ dials: [dial] }),
      () => new Response(null, { status: 204 }),
    );
    const publicKey = "ab".repeat(32);
    expect(await mesh.dials.put(dial.url, { publicKey })).toEqual(dial);
    expect(await mesh.dials.list().toArray()).toEqual([dial]);
    await mesh.dials.remove(dial.id);
    expect(requests.map(({ method, url }) => `${method} ${url.pathname}`)).toEqual([
      "POST /base/v1/peers",
      "POST /base/v1/peers",
      "GET /base/v1/dials",
      `DELETE /base/v1/dials/${dial.id}`,
    ]);
    expect(requests[1]?.body).toEqual({ url: dial.url, public_key: publicKey });
  });
});

describe("options of the SDK", () => {
  test("are sent under the names of the HTTP API, and left out if not given", async () => {
    const { mesh, requests } = api(problem(403, "forbidden"));
    const refused = { code: "forbidden" };
    const publicKey = "ab".repeat(32);
    await expect(mesh.allowlist.put(publicKey, { goP2p: true })).rejects.toMatchObject(refused);
    await expect(mesh.joinKeys.create({ expiresSeconds: 60 })).rejects.toMatchObject(refused);
    await expect(mesh.joinKeys.create()).rejects.toMatchObject(refused);
    expect(requests.map(({ body }) => body)).toEqual([
      { go_p2p: true },
      { expires_seconds: 60 },
      {},
    ]);
  });
});
