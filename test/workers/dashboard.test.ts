import { createExecutionContext, env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { createApp } from "../../workers/app.ts";
import { FILES } from "../../workers/dashboard/assets.js";
import { call, problemOf } from "./http.ts";
import type { Env } from "../../durable/env.ts";

const BROWSER = { Accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

/** Without the checks that hold for every answer of the API. */
async function get(
  path: string,
  headers: Readonly<Record<string, string>> = {},
  { method = "GET", bindings = {} }: { method?: string; bindings?: object } = {},
): Promise<Response> {
  const request = new Request(`http://mesh.test${path}`, { method, headers, redirect: "manual" });
  const bound = { ...env, ...bindings } as unknown as Env;
  return createApp().fetch(request, bound, createExecutionContext());
}

const scriptOf = (html: string): string => /src="(\/dashboard\/main-[^"]+)"/.exec(html)?.[1] ?? "";

describe("the page of the dashboard", () => {
  it("DB1 is served to every caller, also by a mesh without configuration, and says nothing of the mesh", async () => {
    for (const bindings of [{}, { ADMIN_TOKEN: undefined, MESH_IDENTITY_KEY: undefined }]) {
      const answer = await get("/dashboard", {}, { bindings });
      expect(answer.status).toBe(200);
      expect(answer.headers.get("Content-Type")).toBe("text/html; charset=utf-8");
      const html = await answer.text();
      expect(html).toContain("<title>Muster</title>");
      const script = await get(scriptOf(html), {}, { bindings });
      expect([script.status, script.headers.get("Content-Type")]).toEqual([
        200,
        "text/javascript; charset=utf-8",
      ]);
      expect(await script.text()).toContain("Sign in");
    }
  });

  it("DB2 lets the browser load its own files and call its own mesh, and nothing else", async () => {
    const { headers } = await get("/dashboard");
    expect(headers.get("Content-Security-Policy")?.split("; ").toSorted()).toEqual(
      [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
      ].toSorted(),
    );
    expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
    expect(headers.get("Referrer-Policy")).toBe("no-referrer");
  });

  it("DB3 is asked for again each time, and its files never", async () => {
    const page = await get("/dashboard");
    expect(page.headers.get("Cache-Control")).toBe("no-cache");
    const etag = page.headers.get("ETag") ?? "";
    const again = await get("/dashboard", { "If-None-Match": etag });
    expect([again.status, await again.text()]).toEqual([304, ""]);
    expect(again.headers.get("Content-Security-Policy")).toContain("script-src 'self'");
    const other = await get("/dashboard", { "If-None-Match": '"another"' });
    expect(other.status).toBe(200);
    for (const name of Object.keys(FILES)) {
      const file = await get(`/dashboard/${name}`);
      expect(file.headers.get("Cache-Control")).toBe("public, max-age=31536000, immutable");
    }
  });

  it("DB3 is compressed for whoever reads that, and the same text for all", async () => {
    const plain = await get("/dashboard");
    const zipped = await get("/dashboard", { "Accept-Encoding": "gzip, br" });
    expect(plain.headers.get("Content-Encoding")).toBeNull();
    expect(zipped.headers.get("Content-Encoding")).toBe("gzip");
    const opened = zipped.body?.pipeThrough(new DecompressionStream("gzip")) ?? null;
    expect(await new Response(opened).text()).toBe(await plain.text());
  });

  it("DB1 answers HEAD without a body, other methods with 405, and a file that does not exist with 404", async () => {
    const head = await get("/dashboard", {}, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    problemOf(await call("POST", "/dashboard", { token: null }), "method_not_allowed");
    for (const path of ["/dashboard/main.js", "/dashboard/__proto__", "/dashboard/toString"])
      problemOf(await call("GET", path, { token: null }), "not_found");
  });

  it("DB4 is where a browser is led that opens the root; every other request is answered as before", async () => {
    for (const path of ["/", "/dashboard/"]) {
      const answer = await get(path, BROWSER);
      expect([answer.status, answer.headers.get("Location")]).toEqual([302, "/dashboard"]);
      expect(answer.headers.get("Vary")).toContain("Accept");
    }
    problemOf(await call("GET", "/", { token: null }), "not_found");
    problemOf(await call("GET", "/", { headers: { Accept: "application/json" } }), "not_found");
    problemOf(await call("POST", "/", { headers: BROWSER }), "not_found");
    problemOf(await call("GET", "/v1", { headers: BROWSER }), "not_found");
  });
});

describe("GET /v1/caller", () => {
  it("HT95 says what a token may do and until when", async () => {
    expect((await call("GET", "/v1/caller")).body).toEqual({
      id: "admin",
      scope: "admin",
      expires_at: null,
    });
    for (const scope of ["viewer", "controller", "admin"] as const) {
      const json = { scope, label: "someone", expires_seconds: 3_600 };
      const { body } = await call<{ id: string; token: string; expires_at: string }>(
        "POST",
        "/v1/tokens",
        { json },
      );
      const { id, token, expires_at } = body;
      const answer = await call("GET", "/v1/caller", { token });
      expect(answer.body).toEqual({ id, scope, expires_at });
    }
    problemOf(await call("GET", "/v1/caller", { token: "wrong" }), "unauthorized");
  });
});
