import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { requireConfig } from "../../durable/config.ts";
import type { Env } from "../../durable/env.ts";
import { outboundFetch } from "../../durable/outbound-fetch.ts";
import { PROXY_HEADERS } from "../../src/protocol/outbound-proxy.ts";

const SECRET = "5e".repeat(32);
const PROXY = { OUTBOUND_PROXY: "http://127.0.0.1:9/", OUTBOUND_PROXY_SECRET: SECRET };
const URL_1 = "https://one.example.com/hook?a=1";
const POST = { method: "POST", headers: { "webhook-id": "1" }, body: "{}" };

afterEach(() => void vi.restoreAllMocks());

/** Sends the request under this configuration; what was fetched, and the result. */
async function send(variables: Partial<Env>, answer: Response) {
  const fetched = vi.spyOn(globalThis, "fetch").mockResolvedValue(answer);
  const config = requireConfig({ ...(env as Env), ...variables }, Date.now());
  const outbound = outboundFetch(config.outboundProxy, config.coordinator.allowLoopback);
  const result = await outbound(URL_1, POST);
  const [url, init] = fetched.mock.calls[0] ?? [];
  return { url, init, headers: new Headers(init?.headers), result };
}

const faulty = (fault: string) =>
  new Response(null, { status: 502, headers: { [PROXY_HEADERS.fault]: fault } });

describe("a request to a URL that someone gave the mesh", () => {
  it("CB7 goes to the URL when there is no proxy, and follows no redirect", async () => {
    const { url, init, headers, result } = await send({}, faulty("not_public"));
    expect([url, init?.redirect]).toEqual([URL_1, "manual"]);
    expect([...headers]).toEqual([["webhook-id", "1"]]);
    // Only a proxy states faults: a receiver can't.
    expect(result).toMatchObject({ ok: true, value: { status: 502 } });
  });

  it.each(["true", "false"])(
    "CB21 goes to the proxy when there is one, with ALLOW_LOOPBACK=%s",
    async (ALLOW_LOOPBACK) => {
      const { url, init, headers, result } = await send(
        { ...PROXY, ALLOW_LOOPBACK },
        new Response(null, { status: 204 }),
      );
      expect(url).toBe(PROXY.OUTBOUND_PROXY);
      expect(init).toMatchObject({ method: "POST", body: "{}", redirect: "manual" });
      expect(Object.fromEntries(headers)).toEqual({
        "webhook-id": "1",
        [PROXY_HEADERS.url]: URL_1,
        [PROXY_HEADERS.secret]: SECRET,
        [PROXY_HEADERS.allowLoopback]: ALLOW_LOOPBACK,
      });
      expect(result).toMatchObject({ ok: true, value: { status: 204 } });
    },
  );

  it("CB21 fails with the reason when the proxy found no public address", async () => {
    const { result } = await send(PROXY, faulty("not_public"));
    expect(result).toEqual({
      ok: false,
      error: "the host name resolves to an address that is not public",
    });
  });

  it.each(["forbidden", "url_refused", "unreachable", "timeout", "another"])(
    "CB21 has no answer when the proxy has none: %s",
    async (fault) => {
      await expect(send(PROXY, faulty(fault))).rejects.toThrow(fault);
    },
  );
});
