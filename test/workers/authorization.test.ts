import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import { PeerId } from "../../src/protocol/ids.ts";
import { createApp } from "../../workers/app.ts";
import type { AppEnv } from "../../workers/context.ts";
import { Router, routesTagged } from "../../workers/route.ts";
import { TOKEN } from "../durable/api.ts";
import { exampleOf, operations, type Operation } from "./description.ts";
import { call, callWith, problemOf } from "./http.ts";

afterEach(async () => {
  await reset();
});

/** All routes that need no token (HT1). */
const WITHOUT_TOKEN = [
  "GET /healthz",
  "GET /openapi.json",
  "GET /readyz",
  "GET /troubleshooting",
  "GET /troubleshooting/{code}",
  "GET /v1/connect",
  "GET /v1/mesh",
  "GET /v1/mesh/proof",
  "GET /ws",
  "POST /v1/webhooks/{name}",
];
const DISCOVERY = "GET /v1/pointers";
/** Routes whose answer is the same for absent and not allowed (DS17, tested in discovery.test.ts). */
const ALIKE = ["GET /v1/blobs/{id}", "GET /v1/pointers/{id}"];

/** Routes that need a peer's ticket for one result or payload instead of a token (AS23, NX12). */
const TICKETED = [
  "GET /v1/task-payloads/{id}/{fence}",
  "GET /v1/task-results/{id}",
  "PUT /v1/task-results/{id}/{fence}",
];

const nameOf = ({ method, path }: Operation): string => `${method} ${path}`;

/** The routes whose answer shows whether the caller is allowed. */
const distinguishing = async (): Promise<Operation[]> =>
  (await operations()).filter((operation) => ![...ALIKE, ...TICKETED].includes(nameOf(operation)));

const guarded = async (): Promise<Operation[]> =>
  (await distinguishing()).filter((operation) => !WITHOUT_TOKEN.includes(nameOf(operation)));

/** The routes that do not answer 401 to this caller. */
async function openTo(token: string | null, bindings: object = {}): Promise<string[]> {
  const open: string[] = [];
  for (const operation of await distinguishing()) {
    const { method, path, requestBody } = operation;
    const options = { token, ...(requestBody !== undefined && { json: {} }) };
    const reply = await callWith(bindings, method, exampleOf(path), options);
    if (reply.status !== 401) open.push(nameOf(operation));
  }
  return open.toSorted();
}

describe("without a token", () => {
  it("HT1 every route answers 401, except those on the list", async () => {
    expect(await openTo(null)).toEqual(WITHOUT_TOKEN);
  });

  it("HT1 DISCOVERY_PUBLIC=true opens the list of pointers, and no other route", async () => {
    const open = await openTo(null, { DISCOVERY_PUBLIC: "true" });
    expect(open).toEqual([...WITHOUT_TOKEN, DISCOVERY].toSorted());
  });

  it("HT1 public discovery is read-only", async () => {
    const reply = await callWith({ DISCOVERY_PUBLIC: "true" }, "DELETE", "/v1/pointers", {
      token: null,
    });
    problemOf(reply, "method_not_allowed");
  });

  it.each(["/v1/nothing", "/", "/v1", "/v1/peers/", "/admin"])(
    "HT1 the path %s, which does not exist, answers 404",
    async (path) => {
      for (const method of ["GET", "POST", "DELETE", "OPTIONS"])
        problemOf(await call(method, path, { token: null }), "not_found");
    },
  );

  it("HT1 a request without a token answers 401 even if its query, body and media type are wrong", async () => {
    for (const { method, path, requestBody } of await guarded()) {
      const reply = await call(method, `${exampleOf(path)}?limit=-1`, {
        token: null,
        ...(requestBody !== undefined && { raw: "{", headers: { "Content-Type": "text/plain" } }),
      });
      problemOf(reply, "unauthorized");
    }
  });

  it("HT1 a webhook source can be neither read, created nor removed", async () => {
    const source = {
      scheme: "github",
      secret: "a secret of the operator's",
      task: { kind: "test" },
    };
    const path = "/v1/webhook-sources/mine";
    problemOf(await call("PUT", path, { token: null, json: source }), "unauthorized");
    problemOf(await call("GET", path), "not_found");
    await call("PUT", path, { json: source });
    problemOf(await call("GET", path, { token: null }), "unauthorized");
    problemOf(await call("DELETE", path, { token: null }), "unauthorized");
    expect((await call("GET", path)).status).toBe(200);
  });
});

/** The routes with GET that only an administrator's token may use. */
const ONLY_ADMIN_READS = [
  "GET /v1/export",
  "GET /v1/imports/{id}",
  "GET /v1/audit",
  "GET /v1/join-keys",
  "GET /v1/tokens",
];
/** The routes with GET that are only for submitting tasks. */
const ONLY_SUBMITTERS_READ = ["GET /v1/callback-secret", "GET /v1/discovery/keys"];
/** The routes for a controller's token. */
const CONTROLLERS = [
  DISCOVERY,
  "DELETE /v1/tasks/{id}",
  ...ONLY_SUBMITTERS_READ,
  "GET /v1/caller",
  "GET /v1/events",
  "GET /v1/peers",
  "GET /v1/peers/{id}",
  "GET /v1/peers/{id}/rtt/{other}",
  "GET /v1/peers/{id}/score",
  "GET /v1/tasks",
  "GET /v1/tasks/failures",
  "GET /v1/tasks/stats",
  "GET /v1/tasks/{id}",
  "GET /v1/tasks/{id}/result",
  "GET /v1/tasks/{id}/trace",
  "GET /v1/tasks/{id}/why",
  "POST /v1/callback-secret/end-previous",
  "POST /v1/callback-secret/rotate",
  "POST /v1/peers/{id}/requests",
  "POST /v1/task-batches",
  "POST /v1/tasks",
  "POST /v1/tasks/cancel",
  "POST /v1/tasks/retry",
  "POST /v1/tasks/{id}/callback",
  "POST /v1/tasks/{id}/retry",
];

/** The routes that accept a token of this scope; the others answer 403. */
async function permittedTo(scope: string): Promise<string[]> {
  const { body } = await call<{ token: string }>("POST", "/v1/tokens", { json: { scope } });
  const permitted: string[] = [];
  for (const operation of await guarded()) {
    const { method, path, requestBody } = operation;
    const json = requestBody === undefined ? undefined : {};
    const reply = await call(method, exampleOf(path), { token: body.token, json });
    if (reply.status === 403) problemOf(reply, "forbidden");
    else permitted.push(nameOf(operation));
  }
  return permitted.toSorted();
}

describe("a token of a scope", () => {
  it("AD9 admin may use every route", async () => {
    expect(await permittedTo("admin")).toEqual((await guarded()).map(nameOf).toSorted());
  });

  it("AD9 viewer may read everything except tokens, join keys, the audit log, exports and imports, and change nothing", async () => {
    const looks = (await guarded()).filter(({ method }) => method === "GET").map(nameOf);
    expect(await permittedTo("viewer")).toEqual(
      looks
        .filter((name) => ![...ONLY_ADMIN_READS, ...ONLY_SUBMITTERS_READ].includes(name))
        .toSorted(),
    );
  });

  it("AD9 controller may submit tasks and read what it needs for that", async () => {
    expect(await permittedTo("controller")).toEqual(CONTROLLERS.toSorted());
  });

  it("HT96 the map is for admins and viewers: controllers do not see where peers are", async () => {
    for (const [scope, may] of [
      ["admin", true],
      ["viewer", true],
      ["controller", false],
    ] as const)
      expect((await permittedTo(scope)).includes("GET /v1/map")).toBe(may);
  });

  it("HT92 metrics may read the metrics and the load of kinds, and nothing else", async () => {
    // The list of pointers answers 401: it judges its callers by itself.
    const permitted = (await permittedTo("metrics")).filter((name) => name !== DISCOVERY);
    expect(permitted).toEqual(["GET /metrics", "GET /v1/kinds/{kind}/load"]);
  });

  it("HT92 metrics does not read discovery: what it asks for looks absent", async () => {
    const { body } = await call<{ token: string }>("POST", "/v1/tokens", {
      json: { scope: "metrics" },
    });
    for (const operation of (await operations()).filter((each) => ALIKE.includes(nameOf(each))))
      problemOf(
        await call(operation.method, exampleOf(operation.path), { token: body.token }),
        "not_found",
      );
    problemOf(await call("GET", "/v1/pointers", { token: body.token }), "unauthorized");
    const viewer = await call<{ token: string }>("POST", "/v1/tokens", {
      json: { scope: "viewer" },
    });
    expect((await call("GET", "/v1/pointers", { token: viewer.body.token })).status).toBe(200);
  });

  it.each([
    "/v1/%74okens",
    "/v1/tokens%3F",
    "/v1/tasks/../tokens",
    "/v1/tasks/%2e%2e/tokens",
    "/v1/tasks%2f..%2ftokens",
    "/v1//tokens",
    "//v1/tokens",
    "/v1/Tokens",
  ])("AD9 does not open another route by another spelling of its path: %s", async (path) => {
    const json = { scope: "controller" };
    const { body } = await call<{ token: string }>("POST", "/v1/tokens", { json });
    expect([403, 404]).toContain((await call("GET", path, { token: body.token })).status);
  });
});

/** The scopes of `src/access/scope.ts`; a route of any other scope checks its callers by itself. */
const TOKEN_SCOPES = ["read", "read_work", "read_metrics", "work", "administer"];
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "PURGE"];

describe("every registered route", () => {
  it("HT1 declares a scope in its description", async () => {
    const declared = new Map(
      (await operations()).map((route) => [nameOf(route), route["x-scope"]]),
    );
    // The files of the dashboard are no part of the API (DB1).
    const registered = createApp().routes.filter(
      ({ method, path }) => method !== "ALL" && !path.startsWith("/dashboard"),
    );
    expect(registered.length).toBeGreaterThan(40);
    for (const { method, path } of registered) {
      const name = `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`;
      expect([name, declared.get(name)]).toEqual([name, expect.any(String)]);
    }
  });

  it("HT67 states in its description how it checks its callers, and that it checks none only if it answers all", async () => {
    const schemes = (route: Operation) => [...new Set(route.security.flatMap(Object.keys))];
    const stating = async (name: string) =>
      (await operations())
        .filter((route) => schemes(route).includes(name))
        .map(nameOf)
        .toSorted();
    const unsigned = (await operations()).filter(({ security }) => security.length === 0);
    const signed = await stating("webhookSignature");
    expect([...unsigned.map(nameOf), ...signed].toSorted()).toEqual(await openTo(null));
    expect(signed).toEqual(["POST /v1/webhooks/{name}"]);
    expect(await stating("resultTicket")).toEqual(TICKETED);
    expect(await stating("readerToken")).toEqual([...ALIKE, DISCOVERY].toSorted());
    for (const route of await operations())
      if (TOKEN_SCOPES.includes(route["x-scope"] ?? "")) expect(schemes(route)).toEqual(["bearer"]);
  });

  it("HT1 checks its callers by itself only if it is on the list", async () => {
    const others = (await operations()).filter(
      (route) => !TOKEN_SCOPES.includes(route["x-scope"] ?? ""),
    );
    expect(others.map(nameOf).toSorted()).toEqual(
      [...WITHOUT_TOKEN, ...TICKETED, ...ALIKE, DISCOVERY].toSorted(),
    );
  });

  it.each(["admin", "controller", "viewer", "metrics"])(
    "AD9 accepts a token of scope %s exactly if its description lists that scope",
    async (scope) => {
      const routes = (await guarded()).filter((route) => nameOf(route) !== DISCOVERY);
      const listed = routes.filter(({ security }) =>
        security.some(({ bearer = [] }) => bearer.includes(scope)),
      );
      const permitted = (await permittedTo(scope)).filter((name) => name !== DISCOVERY);
      expect(permitted).toEqual(listed.map(nameOf).toSorted());
    },
  );

  it("HT36 answers a method that it does not have with 405 and Allow, whoever calls", async () => {
    const { body } = await call<{ token: string }>("POST", "/v1/tokens", {
      json: { scope: "controller" },
    });
    const all = await operations();
    for (const { path } of all) {
      const described = all.filter((route) => route.path === path).map(({ method }) => method);
      for (const method of METHODS.filter((name) => !described.includes(name)))
        for (const token of [null, "invented", body.token, TOKEN]) {
          const reply = await call(method, exampleOf(path), { token });
          problemOf(reply, "method_not_allowed");
          expect(reply.headers.get("Allow")).toContain(described[0]);
        }
    }
  });

  it.each(["admin", "controller", "viewer"])(
    "HT1 answers a path that no route defines with 404, with a token of scope %s",
    async (scope) => {
      const { body } = await call<{ token: string }>("POST", "/v1/tokens", { json: { scope } });
      for (const path of ["/", "/v1", "/v1/nothing", "/v1/tasks/", "/v2/tasks"])
        for (const method of [...METHODS, "OPTIONS"])
          problemOf(await call(method, path, { token: body.token }), "not_found");
    },
  );
});

describe("a route's definition", () => {
  const details = { operationId: "test", summary: "A test", responses: {} };

  it("HT1 compiles only with a scope, and with a schema for each parameter of its path", () => {
    const { define } = routesTagged("test", { id: PeerId });
    // @ts-expect-error The scope is missing.
    expect(() => define(undefined, "get", "/v1/tests/{id}", details)).toThrow();
    // @ts-expect-error `other` has no schema.
    const unknown = define("read", "get", "/v1/tests/{other}", details);
    expect(unknown.path).toBe("/v1/tests/{other}");
  });

  it("HT1 is the only kind of route that the router accepts", () => {
    const router = new Router(new OpenAPIHono<AppEnv>());
    const unchecked = createRoute({ method: "get", path: "/v1/tests", ...details });
    // @ts-expect-error It states no scope.
    router.route(unchecked, (c) => c.text("open"));
    expect(unchecked).not.toHaveProperty("x-scope");
  });
});

describe("a token", () => {
  it("HT1 of scope admin opens every route", async () => {
    const all = (await distinguishing()).map(nameOf);
    expect(await openTo(TOKEN)).toEqual(all.toSorted());
  });

  it.each([
    ["another token", `Bearer ${TOKEN.replace("0", "1")}`],
    ["the beginning of the token", `Bearer ${TOKEN.slice(0, -1)}`],
    ["more than the token", `Bearer ${TOKEN}0`],
    ["an empty token", "Bearer "],
    ["a token without a scheme", TOKEN],
    ["another scheme", `Basic ${btoa(`admin:${TOKEN}`)}`],
    ["two tokens", `Bearer ${TOKEN}, Bearer ${TOKEN}`],
    ["two words", `Bearer ${TOKEN} ${TOKEN}`],
    ["a quoted string", `Bearer "${TOKEN}"`],
    ["a very long token", `Bearer ${"a".repeat(5_000)}`],
  ])("HT1 is refused on every route: %s", async (_, authorization) => {
    for (const { method, path } of await guarded()) {
      const headers = { Authorization: authorization };
      const reply = await call(method, exampleOf(path), { token: null, headers });
      problemOf(reply, "unauthorized");
    }
  });

  it.each([
    ["bearer", " "],
    ["BEARER", " "],
    ["Bearer", "   "],
  ])(
    "HT1 is accepted after the scheme %j and the space %j (RFC 9110 §11.1)",
    async (scheme, space) => {
      const headers = { Authorization: `${scheme}${space}${TOKEN}` };
      expect((await call("GET", "/v1/peers", { token: null, headers })).status).toBe(200);
    },
  );

  it("HT1 is not accepted in the query or in a cookie", async () => {
    const path = `/v1/peers?access_token=${TOKEN}&token=${TOKEN}`;
    const reply = await call("GET", path, { token: null, headers: { Cookie: `token=${TOKEN}` } });
    problemOf(reply, "unauthorized");
  });
});
