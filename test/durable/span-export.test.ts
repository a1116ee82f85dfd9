import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { readConfig, requireConfig } from "../../durable/config.ts";
import type { Env } from "../../durable/env.ts";
import { readOtlpHeaders } from "../../durable/otlp-headers.ts";
import { SpanExporter } from "../../durable/span-exporter.ts";
import { sendSpans } from "../../durable/span-sender.ts";
import type { ExportAnswer, SpanBatch } from "../../src/contract/tracing.ts";
import { must } from "../must.ts";

const COLLECTOR = { url: "https://otlp.example/base/v1/traces", headers: { "x-key": "secret" } };
const BODY = '{"resourceSpans":[]}';

afterEach(() => void vi.restoreAllMocks());

/** Sends a request to a collector that answers in this way. */
async function send(answer: Response | Error) {
  const fetched = vi.spyOn(globalThis, "fetch");
  if (answer instanceof Error) fetched.mockRejectedValue(answer);
  else fetched.mockResolvedValue(answer);
  const result = await sendSpans(COLLECTOR, BODY, () => 0);
  return { result, call: fetched.mock.calls[0] };
}

describe("a request to the collector", () => {
  it("TR15 posts JSON with the operator's headers, and follows no redirect", async () => {
    const { call } = await send(new Response("{}"));
    const [url, init] = call ?? [];
    expect(url).toBe(COLLECTOR.url);
    expect(init).toMatchObject({ method: "POST", body: BODY, redirect: "manual" });
    expect(Object.fromEntries(new Headers(init?.headers))).toEqual({
      "content-type": "application/json",
      "x-key": "secret",
    });
  });

  const answered = (status: number, body: string | null, headers: Record<string, string> = {}) =>
    new Response(body, { status, headers });
  it.each([
    ["a success", answered(200, "{}"), [200, null, 0]],
    ["an empty success", answered(204, null), [204, null, 0]],
    [
      "a partial success",
      answered(200, '{"partialSuccess":{"rejectedSpans":"3","errorMessage":"no"}}'),
      [200, null, 3],
    ],
    ["an answer that is none", answered(200, "<html>"), [200, null, 0]],
    ["a wrong count", answered(200, '{"partialSuccess":{"rejectedSpans":-3}}'), [200, null, 0]],
    ["too many requests", answered(429, "slow", { "Retry-After": "30" }), [429, 30, 0]],
    ["a redirect", answered(307, null, { Location: "https://other.example" }), [307, null, 0]],
    ["no answer", new TypeError("refused"), [null, null, 0]],
  ] as const)(
    "TR17 reads of %s the status, Retry-After and what was not taken",
    async (_, answer, read) => {
      const { result } = await send(answer);
      expect([result.status, result.retryAfter, result.rejected]).toEqual(read);
    },
  );

  it("TR16 reads no more than the beginning of an endless answer", async () => {
    let pulled = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled++;
        controller.enqueue(new Uint8Array(4_096).fill(0x20));
      },
    });
    const { result } = await send(new Response(endless));
    expect(result).toEqual({ status: 200, retryAfter: null, rejected: 0 });
    expect(pulled).toBeLessThan(10);
  });
});

describe("the exporter", () => {
  it("TR16 sends one request after another until none is due, however often it is asked", async () => {
    const due: SpanBatch[] = [1, 2, 3].map((upTo) => ({ upTo, spans: 1, body: `${upTo}` }));
    const log: string[] = [];
    const answer: ExportAnswer = { status: 200, retryAfter: null, rejected: 0 };
    let sending = 0;
    const exporter = new SpanExporter({
      claim: () => due[0] ?? null,
      send: async (body) => {
        expect(++sending).toBe(1);
        log.push(body);
        await new Promise((resolve) => setTimeout(resolve, 1));
        sending--;
        return answer;
      },
      answered: () => void due.shift(),
    });
    await Promise.all([exporter.run(), exporter.run(), exporter.run()]);
    expect(log).toEqual(["1", "2", "3"]);
  });
});

describe("the settings", () => {
  const config = (variables: Partial<Env>) =>
    requireConfig({ ...(env as Env), ...variables }, Date.now());

  it("TR15 no spans are sent unless OTLP_ENDPOINT is set", () => {
    const off = config({});
    expect([off.collector, off.coordinator.tracing]).toEqual([null, null]);
    const on = config({
      OTLP_ENDPOINT: "http://collector.internal:4318/",
      OTLP_HEADERS: "X-Key=a%20b, x-other=c=d",
      TRACE_SAMPLE: "0.25",
      MESH_NAME: "lab",
    });
    expect(on.collector).toEqual({
      url: "http://collector.internal:4318/v1/traces",
      headers: { "x-key": "a b", "x-other": "c=d" },
    });
    expect(on.coordinator.tracing).toMatchObject({ sample: 0.25, meshName: "lab" });
  });

  it("TR15 a wrong setting is refused without its value", () => {
    for (const wrong of [
      { OTLP_ENDPOINT: "collector:4318" },
      { OTLP_ENDPOINT: "https://me:5eC2e7@collector.example" },
      { OTLP_ENDPOINT: "https://collector.example/?key=5eC2e7" },
      { OTLP_HEADERS: "authorization=5eC2e7" },
      { OTLP_ENDPOINT: "https://c.example", OTLP_HEADERS: "5eC2e7" },
      { OTLP_ENDPOINT: "https://c.example", OTLP_HEADERS: "host=5eC2e7" },
      { OTLP_ENDPOINT: "https://c.example", TRACE_SAMPLE: "1.5" },
    ]) {
      const read = readConfig({ ...(env as Env), ...wrong }, Date.now());
      expect(read.ok ? "" : read.error.detail).toMatch(/^(?:OTLP|TRACE)_/);
      expect(JSON.stringify(read)).not.toContain("5eC2e7");
    }
  });

  it("TR15 headers are read as OpenTelemetry writes them", () => {
    expect(must(readOtlpHeaders("")).valueOf()).toEqual({});
    expect(must(readOtlpHeaders("authorization=Bearer%20abc,"))).toEqual({
      authorization: "Bearer abc",
    });
    for (const wrong of [
      "a",
      "=b",
      "a b=c",
      "a=%zz",
      "a=\u00e9",
      "a=b%0d%0ac: d",
      "x=1,".repeat(21),
    ])
      expect(readOtlpHeaders(wrong).ok).toBe(false);
  });
});
