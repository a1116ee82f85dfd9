import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { log } from "../../durable/worker-log.ts";
import { call } from "./http.ts";

type Line = Readonly<Record<string, unknown>>;
const lines: Line[] = [];

beforeEach(() => {
  lines.length = 0;
  for (const method of ["debug", "info", "warn", "error"] as const)
    vi.spyOn(console, method).mockImplementation((text: string) => {
      lines.push({ ...(JSON.parse(text) as Line), method });
    });
});
afterEach(() => {
  vi.restoreAllMocks();
  log.level = "info";
});

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const headers = { traceparent: `00-${TRACE}-b7ad6b7169203331-01` };
const SECRET = `mst_${"0".repeat(64)}`;

describe("the lines of the Worker", () => {
  it("TR18 TR20 TR24 a request without a valid token is one line of the level info, without the token", async () => {
    const path = `/v1/peers?key=5ecret`;
    await call("GET", path, { token: SECRET, headers });
    expect(lines).toMatchObject([
      {
        level: "info",
        method: "info",
        event: "request.refused",
        code: "unauthorized",
        path: "/v1/peers",
        trace: TRACE,
      },
    ]);
    expect(JSON.stringify(lines)).not.toMatch(/5ecret|mst_0/);
  });

  it("TR22 TR24 the level debug has each answered request with its status, duration and trace", async () => {
    await call("GET", "/v1/auth-mode", { headers });
    expect(lines).toEqual([]);
    log.level = "debug";
    await call("GET", "/v1/auth-mode", { headers });
    expect(lines).toMatchObject([
      {
        level: "debug",
        event: "request.answered",
        path: "/v1/auth-mode",
        status: 200,
        duration_ms: expect.any(Number),
        trace: TRACE,
      },
    ]);
  });

  it("TR18 TR24 a delivery that is refused names its source and the code, and that of an unknown source no name", async () => {
    const source = { scheme: "github", secret: "sixteen characters", task: { kind: "test" } };
    await call("PUT", "/v1/webhook-sources/logged", { json: source });
    lines.length = 0;
    await call("POST", "/v1/webhooks/logged", { json: {}, token: null, headers });
    await call("POST", "/v1/webhooks/forged-name", { json: {}, token: null });
    const refused = lines.filter(({ event }) => event === "webhook.refused");
    expect(refused).toMatchObject([
      { level: "info", source: "logged", code: "signature_missing", trace: TRACE },
      { level: "info" },
    ]);
    expect(JSON.stringify(refused[1])).not.toContain("forged-name");
  });
});
