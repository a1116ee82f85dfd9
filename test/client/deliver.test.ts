import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import type { Fetch } from "../../src/client/http/api.ts";
import { controller } from "../../src/client/clients/mesh-client.ts";
import { deliver, newWebhookSecret, signDelivery } from "../../src/client/webhooks/deliver.ts";

test("signDelivery produces the signature of the Standard Webhooks reference libraries", () => {
  // The test vector of those libraries (github.com/standard-webhooks/standard-webhooks, libraries/*).
  const headers = signDelivery("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", {
    id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
    at: 1_614_265_330_999,
    body: '{"test": 2432232314}',
  });
  expect(headers).toEqual({
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  });
});

test("signDelivery refuses a secret that is not in the standard's form", () => {
  for (const secret of ["plain", "whsec_***", "whsec_MfKQ9r8GKYqrTwjU"]) {
    expect(() => signDelivery(secret, { id: "a", at: 0, body: "" })).toThrow(TypeError);
  }
});

test("SK10 deliver refuses an event that JSON would change, and sends nothing", async () => {
  const fetch: Fetch = () => Promise.reject(new Error("no request is expected"));
  const options = { url: "http://mesh.test", source: "demo", secret: newWebhookSecret(), fetch };
  await expect(deliver({ at: [Number.NaN] }, options)).rejects.toThrow(
    "event.at[0]: JSON has no NaN",
  );
});

test("AS137 deliver needs an event; null is one", async () => {
  const bodies: unknown[] = [];
  const fetch: Fetch = (_url, init) => {
    bodies.push(init.body);
    const task_id = "00000000-0000-4000-8000-000000000001";
    return Promise.resolve(Response.json({ task_id, duplicate: false }, { status: 202 }));
  };
  const options = { url: "http://mesh.test", source: "demo", secret: newWebhookSecret(), fetch };
  await expect(deliver(undefined, options)).rejects.toThrow("event: JSON has no undefined");
  expect(bodies).toEqual([]);
  await deliver(null, options);
  expect(bodies).toEqual(["null"]);
});

test("AS136 a template or a sample that JSON would change is refused, and nothing is sent", async () => {
  const fetch: Fetch = () => Promise.reject(new Error("no request is expected"));
  const { webhooks } = controller({ url: "http://mesh.test", token: "t", fetch });
  const task = { kind: "echo", payload: { at: [Number.NaN] } };
  const source = { scheme: "github", secret: "s".repeat(32), task } as const;
  await expect(webhooks.put("demo", source)).rejects.toThrow(
    "source.task.payload.at[0]: JSON has no NaN",
  );
  const event = { list: [undefined] } as never;
  await expect(webhooks.test("demo", { event })).rejects.toThrow(
    "sample.event.list[0]: JSON has no undefined",
  );
});

test("deliver signs the exact bytes that it sends, and sends no token", async () => {
  const secret = newWebhookSecret();
  const sent: { url: string; init: RequestInit }[] = [];
  const fetch: Fetch = (url, init) => {
    sent.push({ url, init });
    const task_id = "00000000-0000-4000-8000-000000000001";
    return Promise.resolve(Response.json({ task_id, duplicate: false }, { status: 202 }));
  };
  const event = { type: "file", data: { name: "é.txt" } };
  await deliver(event, { url: "http://mesh.test", source: "demo", secret, id: "evt-1", fetch });
  const { url, init } = sent[0] as { url: string; init: RequestInit };
  const headers = new Headers(init.headers);
  const signed = `evt-1.${headers.get("webhook-timestamp")}.${init.body as string}`;
  const key = Buffer.from(secret.slice("whsec_".length), "base64");
  const mac = createHmac("sha256", key).update(signed).digest("base64");
  expect(url).toBe("http://mesh.test/v1/webhooks/demo");
  expect(headers.get("webhook-signature")).toBe(`v1,${mac}`);
  expect(headers.has("authorization")).toBe(false);
});
