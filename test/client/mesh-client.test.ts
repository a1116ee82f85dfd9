import { describe, expect, test, vi } from "vitest";
import type { Fetch } from "../../src/client/http/api.ts";
import { controller } from "../../src/client/clients/mesh-client.ts";

interface Asked {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: unknown;
}

/** A mesh's API that gives the prepared answers in turn, the last one for ever, and notes what it was asked. */
function api(...answers: (() => Response)[]) {
  const asked: Asked[] = [];
  const fetch: Fetch = (url, init) => {
    asked.push({
      url: new URL(url),
      method: init.method ?? "GET",
      headers: new Headers(init.headers),
      body: typeof init.body === "string" ? JSON.parse(init.body) : null,
    });
    const answer = answers[Math.min(asked.length, answers.length) - 1];
    if (answer === undefined) throw new Error("no answer prepared");
    return new Promise((resolve) => resolve(answer()));
  };
  return { asked, mesh: controller({ url: "http://mesh.test/base", token: "secret", fetch }) };
}

const json =
  (body: unknown, status = 200) =>
  () =>
    Response.json(body, { status });
const problem =
  (status: number, code: string, more: object = {}) =>
  () =>
    Response.json(
      { type: `urn:muster:error:${code}`, title: "t", status, code, detail: "the detail", ...more },
      { status, headers: { "content-type": "application/problem+json" } },
    );
const html = () => new Response("<html>", { status: 502 });
const noNetwork = (): never => {
  throw new TypeError("fetch failed");
};

const ID = "00000000-0000-4000-8000-000000000001";
const task = (state: string, more: object = {}) => ({
  id: ID,
  kind: "sum",
  payload: null,
  state,
  source: "api",
  requirements: { capabilities: [] },
  priority: 0,
  not_before: "2026-01-01T00:00:00.000Z",
  backoff: { first_seconds: 0.5, max_seconds: 60 },
  created_at: "2026-01-01T00:00:00Z",
  deadline_at: "2026-01-01T01:00:00Z",
  ended_at: null,
  max_attempts: 3,
  lease_seconds: 60,
  peer_id: null,
  progress: null,
  message: null,
  result: null,
  error: null,
  attempts: [],
  callback: null,
  ...more,
});

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
  capabilities: [],
  slots: 1,
  tasks: 0,
  successes: 0,
  failures: 0,
});

describe("a request", () => {
  test("carries the token, below the base URL's path", async () => {
    const { mesh, asked } = api(json(task("queued")));
    await mesh.tasks.get(ID);
    expect(asked[0]?.url.href).toBe(`http://mesh.test/base/v1/tasks/${ID}`);
    expect(asked[0]?.headers.get("authorization")).toBe("Bearer secret");
  });

  test("can't leave its path, whatever the caller names", async () => {
    const { mesh, asked } = api(problem(404, "not_found"));
    await expect(mesh.tasks.get("../peers?x=1")).rejects.toMatchObject({ code: "not_found" });
    expect(asked[0]?.url.pathname).toBe("/base/v1/tasks/..%2Fpeers%3Fx%3D1");
  });

  test("that the mesh declines becomes an error with the problem's code", async () => {
    const issues = [{ path: "kind", message: "too long" }];
    const { mesh } = api(problem(400, "invalid_request", { issues }));
    await expect(mesh.tasks.get(ID)).rejects.toMatchObject({
      name: "MusterApiError",
      code: "invalid_request",
      status: 400,
      detail: "the detail (kind: too long)",
    });
  });

  test("that something else than a mesh answers becomes an error that says so", async () => {
    await expect(api(html).mesh.tasks.get(ID)).rejects.toMatchObject({
      code: "invalid_response",
      status: 502,
    });
    const wrongShape = json({ hello: "world" });
    await expect(api(wrongShape).mesh.tasks.get(ID)).rejects.toMatchObject({
      code: "invalid_response",
    });
  });

  test("that nobody answers becomes an error of the client's own", async () => {
    vi.useFakeTimers();
    const { mesh, asked } = api(noNetwork);
    const failed = expect(mesh.tasks.get(ID)).rejects.toMatchObject({
      code: "unreachable",
      status: 0,
    });
    await vi.runAllTimersAsync();
    await failed;
    expect(asked).toHaveLength(5);
    vi.useRealTimers();
  });

  test("to read is made again while the mesh is away or busy", async () => {
    vi.useFakeTimers();
    const { mesh, asked } = api(noNetwork, problem(503, "unavailable"), json(task("queued")));
    const reading = mesh.tasks.get(ID);
    await vi.runAllTimersAsync();
    expect((await reading).state).toBe("queued");
    expect(asked).toHaveLength(3);
    vi.useRealTimers();
  });

  test("to change something unkeyed is not made again", async () => {
    const { mesh, asked } = api(problem(503, "unavailable", { retry_after: 2 }));
    await expect(mesh.peers.revoke("0".repeat(32))).rejects.toMatchObject({
      code: "unavailable",
      retryAfter: 2,
    });
    expect(asked).toHaveLength(1);
  });

  test("does not follow a redirect, which would carry the token elsewhere", async () => {
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

describe("assign", () => {
  test("sends what was given and leaves the rest to the mesh", async () => {
    const { mesh, asked } = api(json(task("queued"), 202));
    await mesh.tasks.submit("sum", [1, 2], {
      capabilities: ["gpu"],
      maxAttempts: 5,
      leaseSeconds: 9,
    });
    expect(asked[0]).toMatchObject({
      method: "POST",
      body: {
        kind: "sum",
        payload: [1, 2],
        requirements: { capabilities: ["gpu"] },
        max_attempts: 5,
        lease_seconds: 9,
      },
    });
    expect(asked[0]?.body).not.toHaveProperty("priority");
  });

  test("sends the caller's own idempotency key", async () => {
    const { mesh, asked } = api(json(task("queued"), 202));
    await mesh.tasks.submit("sum", null, { idempotencyKey: "order 66" });
    expect(asked[0]?.headers.get("idempotency-key")).toBe("order 66");
  });

  test("keeps its idempotency key over tries again, and takes a new one for each call", async () => {
    vi.useFakeTimers();
    const { mesh, asked } = api(
      noNetwork,
      problem(503, "unavailable"),
      json(task("queued"), 202),
      json(task("queued"), 202),
    );
    const assigning = mesh.tasks.submit("sum");
    await vi.runAllTimersAsync();
    await assigning;
    await mesh.tasks.submit("sum");
    const keys = asked.map(({ headers }) => headers.get("idempotency-key"));
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(keys[1]).toBe(keys[0]);
    expect(keys[2]).toBe(keys[0]);
    expect(keys[3]).not.toBe(keys[0]);
    vi.useRealTimers();
  });
});

describe("wait", () => {
  test("asks in rounds until the task has ended", async () => {
    const { mesh, asked } = api(json(task("running")), json(task("running")), json(task("failed")));
    expect((await mesh.tasks.wait(ID)).state).toBe("failed");
    expect(asked.map(({ url }) => url.searchParams.get("wait"))).toEqual(["25", "25", "25"]);
  });

  test("gives up with the task's last state when the time is over", async () => {
    const { mesh } = api(json(task("running")));
    await expect(mesh.tasks.wait(ID, { timeoutMs: 0 })).rejects.toMatchObject({
      code: "wait_timeout",
      task: { state: "running" },
    });
  });

  test("gives each round the time that it asks the mesh to wait, and more for the way", async () => {
    const timeout = vi.spyOn(AbortSignal, "timeout");
    const { mesh } = api(json(task("failed")));
    await mesh.tasks.wait(ID);
    await mesh.tasks.get(ID);
    expect(timeout.mock.calls).toEqual([[55_000], [30_000]]);
    timeout.mockRestore();
  });

  test("ends with the caller's signal, in the middle of a round", async () => {
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

  test("ends with the caller's signal, between two tries", async () => {
    vi.useFakeTimers();
    const { mesh, asked } = api(problem(503, "unavailable", { retry_after: 20 }));
    const abort = new AbortController();
    const ended = expect(mesh.tasks.wait(ID, { signal: abort.signal })).rejects.toThrow(
      "the user left",
    );
    await vi.advanceTimersByTimeAsync(10_000);
    abort.abort(new Error("the user left"));
    await ended;
    expect(asked).toHaveLength(1);
    vi.useRealTimers();
  });
});

describe("run", () => {
  test("is the result of a task that succeeded", async () => {
    const { mesh } = api(json(task("queued"), 202), json(task("succeeded", { result: 3 })));
    expect(await mesh.run("sum", [1, 2])).toBe(3);
  });

  test.each(["failed", "cancelled", "expired"])("throws for a task that %s", async (state) => {
    const { mesh } = api(json(task("queued"), 202), json(task(state, { error: "why" })));
    await expect(mesh.run("sum")).rejects.toMatchObject({
      name: "TaskFailed",
      code: state,
      message: expect.stringContaining("why"),
    });
  });
});

describe("lists", () => {
  test("go on over pages, each asked for when it is reached", async () => {
    const { mesh, asked } = api(
      json({ peers: [peer(1), peer(2)], next_cursor: "c1" }),
      json({ peers: [peer(3)], next_cursor: null }),
    );
    const names: string[] = [];
    for await (const { name } of mesh.peers.list({ state: "stale" })) {
      names.push(name);
      if (name === "p2") expect(asked).toHaveLength(1);
    }
    expect(names).toEqual(["p1", "p2", "p3"]);
    expect(asked.map(({ url }) => url.search)).toEqual(["?state=stale", "?state=stale&cursor=c1"]);
  });
});

describe("addresses that are dialled", () => {
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

  test("are registered, again if the answer was lost, listed and removed", async () => {
    const { mesh, asked } = api(
      noNetwork,
      json(dial, 201),
      json({ dials: [dial] }),
      () => new Response(null, { status: 204 }),
    );
    const publicKey = "ab".repeat(32);
    expect(await mesh.dials.put(dial.url, { publicKey })).toEqual(dial);
    expect(await mesh.dials.list().toArray()).toEqual([dial]);
    await mesh.dials.remove(dial.id);
    expect(asked.map(({ method, url }) => `${method} ${url.pathname}`)).toEqual([
      "POST /base/v1/peers",
      "POST /base/v1/peers",
      "GET /base/v1/dials",
      `DELETE /base/v1/dials/${dial.id}`,
    ]);
    expect(asked[1]?.body).toEqual({ url: dial.url, public_key: publicKey });
  });
});
