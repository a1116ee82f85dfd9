import { createExecutionContext, reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { BODY_BYTES_MAX } from "../../src/protocol/constants.ts";
import type { Env } from "../../durable/env.ts";
import { createApp } from "../../workers/app.ts";
import { TOKEN } from "../durable/api.ts";
import { exampleOf, operations, type Operation } from "./description.ts";
import { callWith, gatewayWith, problemOf, streamOf, type Call } from "./http.ts";
import { from, isolate } from "./isolate.ts";

afterEach(async () => {
  await reset();
});

const PAGE = "https://app.example";
const LISTED = { CORS_ORIGINS: `${PAGE}, localhost` };
/** A page of each of these is not listed. */
const UNLISTED = ["https://evil.example", "null", `${PAGE}/`, `${PAGE}.evil.example`, "localhost"];
const PROGRAMS = "/v1/webhooks/{name}";

const nameOf = ({ method, path }: Operation): string => `${method} ${path}`;

const corsHeaders = (headers: Headers): Record<string, string> =>
  Object.fromEntries([...headers].filter(([name]) => name.startsWith("access-control-")));

const asPage = (origin: string | null, options: Call = {}): Call => ({
  ...options,
  headers: { ...options.headers, ...(origin !== null && { Origin: origin }) },
});

const preflight = (origin: string | null, method: string, headers = "authorization"): Call =>
  asPage(origin, {
    token: null,
    headers: {
      "Access-Control-Request-Method": method,
      "Access-Control-Request-Headers": headers,
    },
  });

/** A request that the operation answers without an effect. */
const plain = ({ method, requestBody }: Operation): Call => ({
  ...(method !== "GET" && { token: null }),
  ...(requestBody !== undefined && {
    raw: "{",
    headers: { "Content-Type": "application/json" },
  }),
});

const EXPOSED =
  "allow, retry-after, location, content-digest, muster-result-fence, muster-result-signature";

describe("a mesh with CORS_ORIGINS", () => {
  it("HT61 names the listed origin in the answer of every route, to right and to wrong tokens", async () => {
    const send = gatewayWith(LISTED);
    for (const operation of await operations()) {
      if (operation.path === PROGRAMS) continue;
      for (const origin of [PAGE, "http://localhost:5173"])
        for (const token of [undefined, null]) {
          const options = { ...plain(operation), ...(token === null && { token }) };
          const path = exampleOf(operation.path);
          const { headers } = await send(operation.method, path, asPage(origin, options));
          expect([nameOf(operation), corsHeaders(headers), headers.get("Vary")]).toEqual([
            nameOf(operation),
            {
              "access-control-allow-origin": origin,
              "access-control-expose-headers": EXPOSED,
            },
            "Origin",
          ]);
        }
    }
  });

  it("HT62 answers the preflight of every path with its methods, before a token is asked for", async () => {
    const send = gatewayWith(LISTED);
    const all = await operations();
    for (const { method, path } of all) {
      if (path === PROGRAMS) continue;
      const reply = await send("OPTIONS", exampleOf(path), preflight(PAGE, method));
      const ofPath = all.filter((each) => each.path === path).map((each) => each.method);
      const methods = ofPath.includes("GET") ? [...ofPath, "HEAD"] : ofPath;
      expect([path, reply.status, reply.text, reply.headers.get("Vary")]).toEqual([
        path,
        204,
        "",
        "Origin",
      ]);
      const { "access-control-allow-methods": allowed, ...rest } = corsHeaders(reply.headers);
      expect([path, allowed?.split(", ").toSorted()]).toEqual([path, methods.toSorted()]);
      expect(rest).toEqual({
        "access-control-allow-origin": PAGE,
        "access-control-expose-headers": EXPOSED,
        "access-control-allow-headers":
          "authorization, content-type, idempotency-key, traceparent, tracestate, last-event-id, content-digest",
        "access-control-max-age": "600",
      });
    }
  });

  it("HT62 allows every header that a route reads, as its description says", async () => {
    const { headers } = await callWith(LISTED, "OPTIONS", "/v1/mesh", preflight(PAGE, "GET"));
    const allowed = headers.get("Access-Control-Allow-Headers")?.split(", ");
    for (const { parameters = [] } of await operations())
      for (const { name, in: place } of parameters)
        if (place === "header") expect(allowed).toContain(name.toLowerCase());
  });

  it("HT85 a page may name the last event that it has, and reads the stream", async () => {
    const asked = preflight(PAGE, "GET", "authorization, last-event-id");
    const { headers } = await callWith(LISTED, "OPTIONS", "/v1/events", asked);
    expect(headers.get("Access-Control-Allow-Headers")?.split(", ")).toContain("last-event-id");
    const isolated = createApp();
    const request = new Request("http://mesh.test/v1/events", {
      headers: { Accept: "text/event-stream", Authorization: `Bearer ${TOKEN}`, Origin: PAGE },
    });
    const bindings = { ...env, ...LISTED } as unknown as Env;
    const response = await isolated.fetch(request, bindings, createExecutionContext());
    expect(response.headers.get("Access-Control-Allow-Origin")).toBe(PAGE);
    expect(response.headers.get("Content-Type")).toBe("text/event-stream");
    await response.body?.cancel();
  });

  it("HT61 exposes every header that a route answers with, as its description says", async () => {
    const { headers } = await callWith(LISTED, "GET", "/healthz", asPage(PAGE));
    const exposed = headers.get("Access-Control-Expose-Headers")?.split(", ");
    for (const { responses } of await operations())
      for (const { headers: answered = {} } of Object.values(responses))
        for (const name of Object.keys(answered)) expect(exposed).toContain(name.toLowerCase());
  });

  it("HT63 answers pages that are not listed, null and no origin as if the option were off", async () => {
    const [on, off] = [gatewayWith(LISTED), gatewayWith({})];
    for (const operation of await operations()) {
      const path = exampleOf(operation.path);
      for (const origin of [...UNLISTED, null])
        for (const [method, options] of [
          [operation.method, asPage(origin, plain(operation))],
          ["OPTIONS", preflight(origin, operation.method)],
        ] as const) {
          const [with_, without] = [
            await on(method, path, options),
            await off(method, path, options),
          ];
          expect(corsHeaders(with_.headers)).toEqual({});
          expect(with_.status).toEqual(without.status);
          // An export has the audit entry of the one before, and metrics count the request before.
          if (!["/v1/export", "/metrics"].includes(operation.path))
            expect(with_.text.length).toEqual(without.text.length);
          expect(with_.headers.get("Vary")).toBe(operation.path === PROGRAMS ? null : "Origin");
          expect(without.headers.get("Vary")).toBe(null);
        }
    }
  });

  it("HT63 answers pages at the paths of webhooks as if the option were off", async () => {
    for (const CORS_ORIGINS of [PAGE, "*"])
      for (const [method, options] of [
        ["POST", asPage(PAGE, { token: null, json: {} })],
        ["GET", asPage(PAGE)],
        ["OPTIONS", preflight(PAGE, "POST")],
      ] as const) {
        const reply = await callWith({ CORS_ORIGINS }, method, "/v1/webhooks/nobody", options);
        expect([corsHeaders(reply.headers), reply.headers.get("Vary")]).toEqual([{}, null]);
      }
  });

  it("HT61 names the origin in the answers of paths that do not exist and of methods that a path does not support", async () => {
    const send = gatewayWith(LISTED);
    const missing = await send("GET", "/v1/nothing", asPage(PAGE));
    problemOf(missing, "not_found");
    const unsupported = await send("DELETE", "/v1/mesh", asPage(PAGE));
    problemOf(unsupported, "method_not_allowed");
    for (const { headers } of [missing, unsupported])
      expect(headers.get("Access-Control-Allow-Origin")).toBe(PAGE);
    const { status, headers } = await send("OPTIONS", "/v1/nothing", preflight(PAGE, "PATCH"));
    expect([status, headers.get("Access-Control-Allow-Methods")]).toEqual([
      204,
      "GET, HEAD, POST, PUT, PATCH, DELETE",
    ]);
  });

  it("HT61 names the origin in the answer to a body that is too large, with and without its length", async () => {
    const big = "x".repeat(BODY_BYTES_MAX + 1);
    for (const raw of [big, streamOf(big)]) {
      const headers = { "Content-Type": "application/json" };
      const options = asPage(PAGE, { raw, headers });
      const reply = await callWith(LISTED, "PUT", "/v1/auth-mode", options);
      problemOf(reply, "payload_too_large");
      expect(reply.headers.get("Access-Control-Allow-Origin")).toBe(PAGE);
    }
  });

  it("HT61 names the origin in the answers of a mesh that is not configured", async () => {
    const reply = await callWith(
      { ...LISTED, MESH_SIGNING_KEY: "" },
      "GET",
      "/v1/mesh",
      asPage(PAGE),
    );
    problemOf(reply, "misconfigured");
    expect(reply.headers.get("Access-Control-Allow-Origin")).toBe(PAGE);
  });

  it("HT61 names the origin in the answer to a request over its limit, which the page can read", async () => {
    const { send } = isolate(LISTED);
    for (let n = 0; n < 5; n++) await send("GET", "/v1/peers", from("192.0.2.1", { token: null }));
    const refused = await send(
      "GET",
      "/v1/peers",
      from("192.0.2.1", asPage(PAGE, { token: null })),
    );
    problemOf(refused, "rate_limited");
    expect(refused.headers.get("Access-Control-Allow-Origin")).toBe(PAGE);
    expect(refused.headers.get("Retry-After")).not.toBe(null);
  });

  it("HT61 * admits every page, and the answers depend on no origin", async () => {
    const send = gatewayWith({ CORS_ORIGINS: "*" });
    for (const origin of [PAGE, ...UNLISTED, null]) {
      const { headers } = await send("GET", "/v1/peers", asPage(origin));
      expect([headers.get("Access-Control-Allow-Origin"), headers.get("Vary")]).toEqual([
        "*",
        null,
      ]);
    }
    const { status, headers } = await send("OPTIONS", "/v1/tasks", preflight("null", "POST"));
    expect([status, headers.get("Access-Control-Allow-Methods")]).toEqual([204, "POST, GET, HEAD"]);
  });

  it("HT61 allows credentials to nobody", async () => {
    for (const CORS_ORIGINS of [PAGE, "localhost", "*"])
      for (const [method, options] of [
        ["GET", asPage(PAGE)],
        ["OPTIONS", preflight(PAGE, "GET")],
      ] as const) {
        const reply = await callWith({ CORS_ORIGINS }, method, "/v1/peers", options);
        expect(reply.headers.has("Access-Control-Allow-Credentials")).toBe(false);
      }
  });
});

describe("preflights", () => {
  it("HT62 have a budget of their own per address, and use up no other", async () => {
    const { commands, send } = isolate({ ...LISTED, PREFLIGHTS_PER_MINUTE: "3" });
    const ask = (address: string) =>
      send("OPTIONS", "/v1/tasks", from(address, preflight(PAGE, "POST")));
    for (let n = 0; n < 3; n++) expect((await ask("192.0.2.1")).status).toBe(204);
    const refused = await ask("192.0.2.1");
    problemOf(refused, "rate_limited");
    expect(refused.headers.get("Access-Control-Allow-Origin")).toBe(PAGE);
    expect((await ask("192.0.2.2")).status).toBe(204);
    // What follows them is judged as before, and they have called no object.
    expect(commands).toEqual([]);
    expect((await send("GET", "/v1/tasks", from("192.0.2.1"))).status).toBe(200);
  });

  it("HT62 of an origin that is not listed consume no budget, and OPTIONS without one is none", async () => {
    const { send } = isolate({ ...LISTED, PREFLIGHTS_PER_MINUTE: "1" });
    for (const options of [preflight("https://evil.example", "POST"), asPage(PAGE), {}])
      for (let n = 0; n < 3; n++)
        expect((await send("OPTIONS", "/v1/tasks", from("192.0.2.1", options))).status).toBe(204);
    const allowed = await send("OPTIONS", "/v1/tasks", from("192.0.2.1", preflight(PAGE, "POST")));
    expect(allowed.status).toBe(204);
  });
});

describe("a WebSocket of a page", () => {
  it.each([PAGE, "https://evil.example", "null", null])(
    "HT64 is judged as that of a program: %s",
    async (origin) => {
      const upgrade = asPage(origin, { token: null, headers: { Upgrade: "websocket" } });
      for (const variables of [LISTED, {}])
        expect((await callWith(variables, "GET", "/ws", upgrade)).status).toBe(101);
    },
  );
});
