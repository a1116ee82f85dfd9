import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { toHex, utf8 } from "../../src/base/bytes.ts";
import type { KeptDelivery, WebhookSourceView } from "../../src/protocol/http.ts";
import { call, placesOf, problemOf, type Call } from "./http.ts";
import { deliver, hmac, register, STANDARD_SOURCE, type Delivered } from "./signed-deliveries.ts";

afterEach(async () => {
  await reset();
});

const SECRET = "sixteen characters";
const SOURCE = { scheme: "hmac", secret: SECRET, task: { kind: "order" } } as const;

const signed = async (event: object | string): Promise<Call> => {
  const body = typeof event === "string" ? event : JSON.stringify(event);
  const mac = toHex(await hmac(utf8(SECRET), utf8(body)));
  return { raw: utf8(body), headers: { "X-Signature": mac }, token: null };
};
const send = async (event: object) => deliver("shop", await signed(event));
const listed = async (): Promise<KeptDelivery[]> =>
  (await call<{ deliveries: KeptDelivery[] }>("GET", "/v1/webhook-sources/shop/deliveries")).body
    .deliveries;

describe("the identity of a source's deliveries", () => {
  it("WH51 by a path makes deliveries with the same ID one task, whatever else they contain", async () => {
    await register("shop", { ...SOURCE, identity: { path: "$.id" } });
    const first = await send({ id: 1, attempt: 1 });
    const again = await send({ id: 1, attempt: 2 });
    expect(again.body).toMatchObject({ task_id: first.body.task_id, duplicate: true });
    expect((await send({ id: 2, attempt: 1 })).body.duplicate).toBe(false);
    expect((await listed()).map(({ delivery_id }) => delivery_id)).toEqual([
      "id:2",
      "id:1",
      "id:1",
    ]);
    const { detail } = problemOf(await send({ attempt: 3 }), "event_unmapped");
    expect(detail).toContain("identity: $.id");
  });

  it("WH51 is used for an event that a filter excluded, when it is replayed", async () => {
    const filters = [{ path: "$.paid", equals: true }];
    await register("shop", { ...SOURCE, identity: { path: "$.id" }, filters });
    expect((await send({ id: 1 })).body.task_id).toBeNull();
    await register("shop", { ...SOURCE, identity: { path: "$.id" } });
    const [excluded] = await listed();
    const path = `/v1/webhook-sources/shop/deliveries/${excluded?.id}/replay`;
    const replayed = await call<Delivered>("POST", path);
    expect((await send({ id: 1, paid: true })).body.task_id).toBe(replayed.body.task_id);
  });

  it("WH52 by time makes a repetition the same task", async () => {
    await register("shop", { ...SOURCE, identity: { bucket_seconds: 86_400 } });
    const first = await send({ total: 5 });
    expect((await send({ total: 5 })).body).toMatchObject({
      task_id: first.body.task_id,
      duplicate: true,
    });
    expect((await listed())[0]?.delivery_id).toMatch(/^[0-9a-f]{64}@[0-9]+$/);
  });

  it("WH51 is shown with its source, and is gone when a change of the source states none", async () => {
    const source = { ...SOURCE, identity: { path: "$.id" }, max_body_bytes: 5_000 };
    const shown = await register("shop", source);
    expect(shown.body).toMatchObject({ identity: { path: "$.id" }, max_body_bytes: 5_000 });
    await register("shop", { ...SOURCE });
    const { body } = await call<WebhookSourceView>("GET", "/v1/webhook-sources/shop");
    expect(body).toMatchObject({ identity: null, max_body_bytes: null });
  });

  it.each([
    [{ path: "$..id" }, "identity.path"],
    [{}, "identity.path"],
    [{ path: "$.id", bucket_seconds: 60 }, "identity.path"],
    [{ bucket_seconds: 59 }, "identity.bucket_seconds"],
    [{ bucket_seconds: 2_592_001 }, "identity.bucket_seconds"],
    [{ path: "$.id", header: "x-id" }, "identity.header"],
  ])("WH51 cannot be %j", async (identity, place) => {
    const json = { ...SOURCE, identity };
    const reply = await call("PUT", "/v1/webhook-sources/shop", { json });
    expect(placesOf(reply)).toEqual([place]);
  });

  it("WH51 cannot be stated for Standard Webhooks, which signs an ID", async () => {
    const json = { ...STANDARD_SOURCE, identity: { path: "$.id" } };
    const reply = await call("PUT", "/v1/webhook-sources/shop", { json });
    expect(placesOf(reply)).toEqual(["identity"]);
  });
});
