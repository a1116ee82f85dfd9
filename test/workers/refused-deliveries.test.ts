import { env } from "cloudflare:workers";
import { reset, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { KeptDelivery, RefusedList } from "../../src/protocol/http.ts";
import { call, type Call } from "./http.ts";
import { from, isolate } from "./isolate.ts";
import { deliver, register, standard, unixNow, withHeaders, without } from "./signed-deliveries.ts";

afterEach(async () => {
  await reset();
});

const EVENT = '{"type":"file.added","password":"in the body"}';

const list = async (name = "files"): Promise<RefusedList> =>
  (await call<RefusedList>("GET", `/v1/webhook-sources/${name}/refused`)).body;

/** The list once it has this many refused deliveries: they are reported after the answer. */
async function listOf(count: number): Promise<RefusedList> {
  await vi.waitFor(
    async () => {
      const { refused, unknown_sources } = await list();
      const counts = [...refused, ...(unknown_sources === null ? [] : [unknown_sources])];
      expect(counts.reduce((sum, each) => sum + each.count, 0)).toBe(count);
    },
    { timeout: 30_000, interval: 50 },
  );
  return list();
}

interface Refused {
  readonly code: string;
  readonly status: number;
  readonly request: () => Promise<Call>;
}

const REFUSED: readonly Refused[] = [
  {
    code: "signature_missing",
    status: 401,
    request: async () => without(await standard(EVENT), "webhook-signature"),
  },
  {
    code: "signature_invalid",
    status: 401,
    request: async () => ({ ...(await standard(EVENT)), raw: `${EVENT} ` }),
  },
  {
    code: "signature_stale",
    status: 401,
    request: () => standard(EVENT, { at: unixNow() - 3_600 }),
  },
];

describe("refused deliveries", () => {
  it.each(REFUSED)(
    "WH60 are listed with their reason: $code",
    async ({ code, status, request }) => {
      await register("files");
      const { send } = isolate();
      const sent = withHeaders(await request(), {
        "User-Agent": "sender/1",
        Authorization: "Bearer of the sender",
        "Content-Length": String(EVENT.length),
      });
      expect((await send("POST", "/v1/webhooks/files", from("192.0.2.7", sent))).status).toBe(
        status,
      );
      const { refused, unknown_sources } = await listOf(1);
      expect(unknown_sources).toBeNull();
      expect(refused).toMatchObject([
        { code, status, count: 1, method: "POST", address: "192.0.2.7", in_deliveries: false },
      ]);
      expect(refused[0]?.detail).not.toBe("");
      expect(refused[0]?.headers).toMatchObject({
        "user-agent": "sender/1",
        authorization: "[20 characters]",
      });
      const stored = await runInDurableObject(
        env.COORDINATOR.get(env.COORDINATOR.idFromName("coordinator")),
        (_, { storage }) =>
          JSON.stringify(storage.sql.exec("SELECT * FROM webhook_refusals").toArray()),
      );
      for (const secret of ["of the sender", "in the body", "v1,"])
        expect(stored).not.toContain(secret);
    },
  );

  it.each(["GET", "HEAD", "PUT", "PATCH", "DELETE", "PURGE"])(
    "WH60 are listed when their method is wrong: %s",
    async (method) => {
      await register("files");
      const { send } = isolate();
      const sent = from("192.0.2.7", { token: null, headers: { "User-Agent": "sender/1" } });
      expect((await send(method, "/v1/webhooks/files", sent)).status).toBe(405);
      // What asks for the methods is no delivery.
      expect((await send("OPTIONS", "/v1/webhooks/files", sent)).status).toBe(204);
      const { refused, unknown_sources } = await listOf(1);
      expect(unknown_sources).toBeNull();
      expect(refused).toMatchObject([
        { code: "method_not_allowed", status: 405, method, count: 1, address: "192.0.2.7" },
      ]);
    },
  );

  it("WH64 with a wrong method to unknown names are counted without their names", async () => {
    await register("files");
    const { send } = isolate();
    for (const name of ["nobody", "%00", "x".repeat(300), "FILES"])
      expect((await send("GET", `/v1/webhooks/${name}`, from("192.0.2.7"))).status).toBe(405);
    const { refused, unknown_sources } = await listOf(4);
    expect([refused, unknown_sources?.count]).toEqual([[], 4]);
  });

  it("WH65 whose signature was valid are marked, because the list of deliveries has them, too", async () => {
    await register("files", { task: { kind: "$.kind" } });
    expect((await deliver("files", await standard(EVENT))).status).toBe(422);
    const { refused } = await listOf(1);
    expect(refused).toMatchObject([{ code: "event_unmapped", status: 422, in_deliveries: true }]);
    const { body } = await call<{ deliveries: KeptDelivery[] }>(
      "GET",
      "/v1/webhook-sources/files/deliveries",
    );
    expect(body.deliveries).toMatchObject([{ outcome: "unmapped" }]);
    // What becomes a task, or is filtered, is not refused.
    await register("files", { filters: [{ path: "$.type", equals: "file.added" }] });
    await deliver("files", await standard(EVENT, { id: "a" }));
    await deliver("files", await standard('{"type":"x"}', { id: "b" }));
    expect((await list()).refused).toHaveLength(1);
  });

  it("WH64 to unknown names are counted without their names", async () => {
    await register("files");
    const { send } = isolate();
    for (let n = 0; n < 12; n++)
      await send("POST", `/v1/webhooks/name-${n}`, from(`192.0.2.${n}`, await standard(EVENT)));
    const { refused, unknown_sources } = await listOf(12);
    expect([refused, unknown_sources?.count]).toEqual([[], 12]);
  });

  it("WH63 of a flood are all counted, with one report in two seconds and one row for each reason", async () => {
    await register("files");
    const { send, reports } = isolate();
    const began = Date.now();
    const unsigned = without(await standard(EVENT), "webhook-signature");
    for (let n = 0; n < 300; n++)
      await send("POST", "/v1/webhooks/files", from("192.0.2.1", unsigned));
    const { refused } = await listOf(300);
    const seconds = (Date.now() - began) / 1_000;
    const counts = Object.fromEntries(refused.map(({ code, count }) => [code, count]));
    const examined = counts["signature_missing"] ?? 0;
    expect(counts).toEqual({ rate_limited: 300 - examined, signature_missing: examined });
    // Five at once, and five in each minute that the requests took.
    expect(examined).toBeGreaterThanOrEqual(5);
    expect(examined).toBeLessThanOrEqual(5 + seconds / 12);
    expect(reports.length).toBeLessThanOrEqual(1 + Math.ceil(seconds / 2));
  });
});
