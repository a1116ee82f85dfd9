import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { exampleOf, operationAt, operations, type Operation } from "./description.ts";
import { call, callWith, problemOf } from "./http.ts";

afterEach(async () => {
  vi.restoreAllMocks();
  await reset();
});

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** The methods of each path, HEAD wherever GET is. */
async function methodsByPath(): Promise<Map<string, Set<string>>> {
  const paths = new Map<string, Set<string>>();
  for (const { path } of await operations()) {
    const methods = new Set<string>();
    for (const method of ["HEAD", ...METHODS])
      if ((await operationAt(method, exampleOf(path))) !== null) methods.add(method);
    methods.add("OPTIONS");
    paths.set(path, methods);
  }
  return paths;
}

const sentWith = ({ requestBody }: Operation) => (requestBody === undefined ? {} : { json: {} });

describe("a path that does not exist", () => {
  it.each([
    "/",
    "/v1",
    "/v1/",
    "/v2/peers",
    "/v1/peers/",
    "/v1/tasks/a/b/c",
    "/v1//peers",
    "/V1/PEERS",
    "/openapi.yaml",
    "/v1/webhooks",
    "/v1/%00",
    "/v1/\u017eeton",
    "/.env",
    "/v1/connect/",
  ])("HT2 %s is not_found with every method", async (path) => {
    for (const method of METHODS) problemOf(await call(method, path), "not_found");
  });

  it("HT2 is not_found also if it is very long", async () => {
    problemOf(await call("GET", `/${"a".repeat(8_000)}`), "not_found");
  });

  it("HT2 is quoted in the detail as data", async () => {
    const path = '/v1/<script>alert("1")</script>';
    const reply = await call("GET", path);
    expect(problemOf(reply, "not_found").detail).toContain("/openapi.json");
    expect(reply.headers.get("Content-Security-Policy")).toContain("default-src 'none'");
  });
});

describe("a method that a path does not have", () => {
  it("HT2 is answered with method_not_allowed, and Allow lists exactly the supported methods", async () => {
    for (const [path, methods] of await methodsByPath()) {
      for (const method of METHODS.filter((candidate) => !methods.has(candidate))) {
        const reply = await call(method, exampleOf(path), {
          json: method === "GET" ? undefined : {},
        });
        problemOf(reply, "method_not_allowed");
        const allowed = new Set(reply.headers.get("Allow")?.split(", "));
        expect([path, [...allowed].toSorted()]).toEqual([path, [...methods].toSorted()]);
      }
    }
  });

  it("HT36 OPTIONS is answered with the methods of the path, to every caller", async () => {
    for (const [path, methods] of await methodsByPath()) {
      const reply = await call("OPTIONS", exampleOf(path), { token: null });
      expect([path, reply.status, reply.text]).toEqual([path, 204, ""]);
      const allowed = reply.headers.get("Allow")?.split(", ") ?? [];
      expect([path, allowed.toSorted()]).toEqual([path, [...methods].toSorted()]);
    }
  });

  it("HT2 is refused before the body is read", async () => {
    const options = { raw: "not JSON", headers: { "Content-Type": "text/plain" } };
    problemOf(await call("PUT", "/v1/tasks", options), "method_not_allowed");
    problemOf(await call("POST", "/v1/auth-mode", options), "method_not_allowed");
  });

  it("HT2 is refused for HEAD as well, without a body", async () => {
    const reply = await call("HEAD", "/v1/webhooks/x");
    expect([reply.status, reply.text, reply.headers.get("Allow")]).toEqual([
      405,
      "",
      "POST, OPTIONS",
    ]);
  });
});

describe("HEAD", () => {
  it("HT2 has the answer of GET, without the body", async () => {
    for (const operation of await operations()) {
      if (operation.method !== "GET") continue;
      const path = exampleOf(operation.path);
      const [head, get] = [await call("HEAD", path), await call("GET", path)];
      expect([path, head.status, head.text]).toEqual([path, get.status, ""]);
      expect(head.headers.get("Content-Type")).toBe(get.headers.get("Content-Type"));
    }
  });
});

/** A namespace of Durable Objects that all fail. */
const unreachable = (fault: string) => {
  const fail = async () => {
    throw new Error(fault);
  };
  const stub = { execute: fail, submitAndWait: fail, getOnceEnded: fail, fetch: fail };
  return { idFromName: () => "id", newUniqueId: () => "id", get: () => stub };
};

const INTERNALS = "secret stack\n    at secret (/src/secret.ts:1:2)";

describe("a part of the mesh that does not answer", () => {
  it("HT2 is answered with unavailable and Retry-After on every route that calls the coordinator", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const asked: string[] = [];
    for (const operation of await operations()) {
      const { method, path } = operation;
      const bindings = { COORDINATOR: unreachable(INTERNALS) };
      const reply = await callWith(bindings, method, exampleOf(path), sentWith(operation));
      expect(reply.text).not.toContain("secret stack");
      if (reply.status !== 503) continue;
      expect(problemOf(reply, "unavailable").retry_after).toBeGreaterThan(0);
      expect(Number(reply.headers.get("Retry-After"))).toBeGreaterThan(0);
      asked.push(`${method} ${path}`);
    }
    // Routes with a body refuse an empty one first.
    expect(asked).toEqual(
      expect.arrayContaining([
        "GET /v1/peers",
        "DELETE /v1/peers/{id}",
        "POST /v1/peers/{id}/revoke",
        "GET /v1/auth-mode",
        "GET /v1/allowlist",
        "PUT /v1/allowlist/{public_key}",
        "GET /v1/tasks",
        "GET /v1/tasks/{id}",
        "DELETE /v1/webhook-sources/{name}",
        "GET /v1/pointers",
        "POST /v1/webhooks/{name}",
      ]),
    );
    expect(log).toHaveBeenCalledWith(expect.stringContaining('"event":"coordinator.call_failed"'));
  });

  it("HT2 is answered with unavailable when a task or a source is sent", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const down = { COORDINATOR: unreachable(INTERNALS) };
    const task = await callWith(down, "POST", "/v1/tasks", { json: { kind: "test" } });
    problemOf(task, "unavailable");
    const source = { scheme: "github", secret: "sixteen characters", task: { kind: "test" } };
    const put = await callWith(down, "PUT", "/v1/webhook-sources/x", { json: source });
    problemOf(put, "unavailable");
    problemOf(
      await callWith(down, "PUT", "/v1/auth-mode", { json: { mode: "open" } }),
      "unavailable",
    );
  });

  it("HT2 is answered with unavailable if it is the blob store", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const BLOBS = {
      get: async () => {
        throw new Error(INTERNALS);
      },
    };
    const reply = await callWith({ BLOBS }, "GET", `/v1/blobs/${"0".repeat(32)}`);
    expect(problemOf(reply, "unavailable").retry_after).toBeGreaterThan(0);
  });

  it("HT2 is answered with unavailable if it is the object of a new session", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const down = { PEER_SESSION: unreachable(INTERNALS) };
    const reply = await callWith(down, "GET", "/ws", { headers: { Upgrade: "websocket" } });
    expect(problemOf(reply, "unavailable").retry_after).toBeGreaterThan(0);
  });

  it("HT2 does not hide a task that can be read: it is shown as it is if waiting for its end fails", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const { body: task } = await call<{ id: string }>("POST", "/v1/tasks", {
      json: { kind: "test" },
    });
    const real = env.COORDINATOR.get(env.COORDINATOR.idFromName("coordinator"));
    const half = {
      execute: (...args: Parameters<typeof real.execute>) => real.execute(...args),
      getOnceEnded: async () => {
        throw new Error(INTERNALS);
      },
    };
    const COORDINATOR = { idFromName: () => "id", get: () => half };
    const reply = await callWith({ COORDINATOR }, "GET", `/v1/tasks/${task.id}?wait=60`);
    expect(reply).toMatchObject({ status: 200, body: { id: task.id, state: "queued" } });
  });
});

describe("a defect of the mesh", () => {
  it("HT2 is answered with internal: its stack is logged, and not sent to the caller", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const nonsense = { execute: async () => [{ ok: true, value: { circle: 1n } }] };
    const COORDINATOR = { idFromName: () => "id", get: () => nonsense };
    const reply = await callWith({ COORDINATOR }, "GET", "/v1/auth-mode");
    problemOf(reply, "internal");
    expect(reply.text).not.toMatch(/BigInt|serialize/);
    expect(JSON.stringify(log.mock.calls)).toContain("BigInt");
  });
});
