import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import type { CostsView, KindLoadView } from "../../src/protocol/http.ts";
import { GoPeer } from "../durable/go-peer.ts";
import { submitTask, until } from "../durable/api.ts";
import { NoisePeer } from "../durable/noise-peer.ts";
import { parseMetrics, valueOf } from "../metrics/parse-metrics.ts";
import { call, callWith, problemOf } from "./http.ts";
import { from, isolate } from "./isolate.ts";

afterEach(async () => {
  await reset();
});

const OPENMETRICS = { Accept: "application/openmetrics-text;version=1.0.0,*/*;q=0.1" };

async function metrics(options: Parameters<typeof call>[2] = {}) {
  const reply = await call("GET", "/metrics", options);
  expect(reply.status).toBe(200);
  const isOpen = options.headers !== undefined;
  return parseMetrics(reply.text, isOpen ? "openmetrics" : "prometheus");
}

const tokenOf = async (scope: string): Promise<string> =>
  (await call<{ token: string }>("POST", "/v1/tokens", { json: { scope } })).body.token;

describe("GET /metrics", () => {
  it("HT90 is OpenMetrics for a request that accepts it, else the older text format", async () => {
    const older = await call("GET", "/metrics");
    expect(older.headers.get("Content-Type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    parseMetrics(older.text, "prometheus");
    const open = await call("GET", "/metrics", { headers: OPENMETRICS });
    expect(open.headers.get("Content-Type")).toBe(
      "application/openmetrics-text; version=1.0.0; charset=utf-8",
    );
    expect(valueOf(parseMetrics(open.text, "openmetrics"), "muster_coordinator_starts_total")).toBe(
      1,
    );
    expect((await call("HEAD", "/metrics")).status).toBe(200);
  });

  it("HT90 is for viewers and tokens of scope metrics, and not for controllers", async () => {
    for (const scope of ["viewer", "metrics", "admin"])
      await metrics({ token: await tokenOf(scope), headers: OPENMETRICS });
    const token = await tokenOf("controller");
    problemOf(await call("GET", "/metrics", { token }), "forbidden");
    problemOf(await call("GET", "/metrics", { token: null }), "unauthorized");
    problemOf(await call("GET", "/metrics?name=muster_peers"), "invalid_request");
  });

  it("MT10 shows peers and tasks of a mesh at work", async () => {
    const peer = await NoisePeer.join();
    await submitTask("resize", null);
    const found = await until(
      () => metrics(),
      (families) => valueOf(families, "muster_leases", { state: "offered" }) === 1,
    );
    expect(valueOf(found, "muster_peers", { state: "active", role: "worker" })).toBe(1);
    expect(valueOf(found, "muster_tasks_running", { kind: "resize" })).toBe(1);
    const labels = { kind: "resize", source: "api" };
    expect(valueOf(found, "muster_tasks_submitted_total", labels)).toBe(1);
    expect(valueOf(found, "muster_sessions_begun_total", { protocol: "muster/2" })).toBe(1);
    expect(
      valueOf(found, "muster_command_duration_seconds_count", { type: "write" }),
    ).toBeGreaterThan(0);
    expect(valueOf(found, "muster_storage_used_bytes")).toBeGreaterThan(0);
    peer.socket.close();
  });

  it("MT8 is answered on a full disk, without a write", async () => {
    await submitTask("resize", null);
    const DISK = { fetch: async () => Response.json({ shortage: "0 MB are free" }) };
    const commands: string[] = [];
    const real = env.COORDINATOR.get(env.COORDINATOR.idFromName("coordinator"));
    const COORDINATOR = {
      idFromName: (name: string) => name,
      get: () => ({
        execute: (...args: Parameters<typeof real.execute>) => {
          commands.push(...args[2].map(({ name }) => name));
          return real.execute(...args);
        },
      }),
    };
    const reply = await callWith({ DISK, COORDINATOR }, "GET", "/metrics");
    expect([reply.status, commands]).toEqual([200, ["read_metrics"]]);
    const waiting = valueOf(parseMetrics(reply.text, "prometheus"), "muster_tasks_waiting", {
      kind: "resize",
    });
    expect(waiting).toBe(1);
  });
});

describe("what is refused before the caller is known", () => {
  it("MT12 is reported by an isolate at once, and then not again for 20 s, however much it is", async () => {
    const { send, counts } = isolate();
    for (let n = 0; n < 300; n++)
      await send("GET", "/v1/tasks", from(`198.51.${n >> 8}.${n & 255}`, { token: null }));
    await send("GET", "/v1/connect?peer=x", from("198.51.0.1", { token: null }));
    expect(counts).toEqual([[["gateway", "unauthorized", 1]]]);
    const reasons = { place: "gateway", reason: "unauthorized" };
    await until(metrics, (found) => valueOf(found, "muster_refusals_total", reasons) === 1);
  });

  it("MT12 is reported of handshakes, too", async () => {
    const peer = await GoPeer.connect();
    peer.socket.send("this is no handshake");
    await peer.closed;
    const labels = { place: "handshake" };
    const found = await until(metrics, (families) =>
      families.some(({ samples }) =>
        samples.some(
          (sample) =>
            sample.name === "muster_refusals_total" && sample.labels["place"] === labels.place,
        ),
      ),
    );
    expect(valueOf(found, "muster_refusals_total", { ...labels, reason: "bad_message" })).toBe(1);
  });
});

describe("GET /v1/costs", () => {
  it("HT97 estimates the costs of what the mesh has counted, for those who read the metrics of all owners", async () => {
    await submitTask("image/resize", null);
    const token = await tokenOf("viewer");
    const costs = async () => (await call<CostsView>("GET", "/v1/costs", { token })).body;
    // Counters are written every 2 s.
    const { billed, so_far: soFar } = await until(
      costs,
      ({ so_far: { items } }) => items[0]?.quantity === 1,
    );
    expect(soFar.items[0]).toMatchObject({ item: "tasks", quantity: 1, dollars: 0.000_019_1 });
    // There is no disk here, as on Cloudflare.
    expect(billed).toBe(true);
    const controller = await tokenOf("controller");
    problemOf(await call("GET", "/v1/costs", { token: controller }), "forbidden");
  });
});

describe("GET /v1/kinds/{kind}/load", () => {
  it("HT91 has numbers for autoscalers: zeros for a kind without a task, and kinds with a slash", async () => {
    const token = await tokenOf("metrics");
    const load = async (kind: string) =>
      (await call<KindLoadView>("GET", `/v1/kinds/${encodeURIComponent(kind)}/load`, { token }))
        .body;
    const none = { waiting: 0, scheduled: 0, running: 0, load: 0, oldest_wait_seconds: 0 };
    expect(await load("image/resize")).toEqual({ kind: "image/resize", ...none });
    await submitTask("image/resize", null);
    await submitTask("image/resize", null);
    expect(await load("image/resize")).toMatchObject({ waiting: 2, running: 0, load: 2 });
    problemOf(await call("GET", "/v1/kinds/%20/load"), "invalid_request");
    const controller = await tokenOf("controller");
    problemOf(await call("GET", "/v1/kinds/a/load", { token: controller }), "forbidden");
  });
});
