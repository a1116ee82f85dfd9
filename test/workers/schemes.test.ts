import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { toBase64, toHex, utf8 } from "../../src/base/bytes.ts";
import type { TaskView, WebhookSourceView } from "../../src/protocol/http.ts";
import {
  deliver,
  hmac,
  register,
  standard,
  STANDARD_SECRET,
  unixNow,
} from "./signed-deliveries.ts";
import { call, placesOf, problemOf, type Call } from "./http.ts";

afterEach(async () => {
  await reset();
});

const EVENT = '{"type":"file.added","data":{"file":"a.txt"}}';
const SECRET = "sixteen characters";

const macOf = async (text: string, secret = SECRET): Promise<Uint8Array> =>
  hmac(utf8(secret), utf8(text));

async function slack(body: string, at = unixNow()): Promise<Call> {
  const mac = await macOf(`v0:${at}:${body}`);
  const headers = {
    "X-Slack-Request-Timestamp": String(at),
    "X-Slack-Signature": `v0=${toHex(mac)}`,
  };
  return { raw: utf8(body), headers, token: null };
}

async function stripe(body: string, header = "Stripe-Signature"): Promise<Call> {
  const at = unixNow();
  const headers = { [header]: `t=${at},v1=${toHex(await macOf(`${at}.${body}`))}` };
  return { raw: utf8(body), headers, token: null };
}

/** The payloads of all tasks. */
async function payloads(): Promise<unknown[]> {
  const { body } = await call<{ tasks: { id: string }[] }>("GET", "/v1/tasks");
  return Promise.all(body.tasks.map(({ id }) => payloadOf(id)));
}

const payloadOf = async (id: string | null): Promise<unknown> =>
  (await call<TaskView>("GET", `/v1/tasks/${id}`)).body.payload;

describe("a delivery of another scheme", () => {
  it("WH6 from Stripe becomes one task, also if it is signed and sent again", async () => {
    await register("pay", { scheme: "stripe", secret: SECRET });
    const { status, body } = await deliver("pay", await stripe(EVENT));
    expect(status).toBe(202);
    expect((await deliver("pay", await stripe(EVENT))).body.task_id).toBe(body.task_id);
  });

  it("WH6 in Stripe's form may have its signature in another header, which the source names", async () => {
    await register("pay", {
      scheme: "stripe",
      secret: SECRET,
      signature: { header: "X-Signed", encoding: "hex", prefix: "" },
    });
    expect((await deliver("pay", await stripe(EVENT, "X-Signed"))).status).toBe(202);
    problemOf(await deliver("pay", await stripe(EVENT)), "signature_missing");
  });

  it("WH7 from Slack becomes a task, also if it is a form", async () => {
    await register("chat", { scheme: "slack", secret: SECRET, task: { kind: "chat" } });
    await deliver("chat", await slack("command=%2Fbuild&text=main"));
    expect(await payloads()).toEqual([{ command: "/build", text: "main" }]);
    const stale = await slack("{}", unixNow() - 3_600);
    problemOf(await deliver("chat", stale), "signature_stale");
  });

  it.each([
    ["a slash command", "command=%2Fbuild&text=main+now&trigger_id=1.2", { text: "main now" }],
    [
      "an interaction",
      `payload=${encodeURIComponent('{"type":"block_actions","text":"ok"}')}`,
      { text: "ok" },
    ],
    ["an event", '{"type":"event_callback","text":"hello"}', { text: "hello" }],
  ])("WH43 from Slack that is %s is answered with an empty 200", async (_, raw, payload) => {
    await register("chat", {
      scheme: "slack",
      secret: SECRET,
      task: { kind: "chat", payload: { text: "$.text" } },
      filters: [{ path: "$.text", matches: "*" }],
    });
    for (const body of [raw, raw, raw.replace("text", "none")]) {
      const reply = await deliver("chat", await slack(body));
      expect([reply.status, reply.text]).toEqual([200, ""]);
    }
    expect(await payloads()).toEqual([payload]);
    const unfit = await slack("{}");
    await register("chat", { scheme: "slack", secret: SECRET, task: { kind: "$.kind" } });
    problemOf(await deliver("chat", unfit), "event_unmapped");
  });

  it("WH7 that is Slack's check of the address is answered with its challenge, and becomes no task", async () => {
    await register("chat", { scheme: "slack", secret: SECRET, task: { kind: "chat" } });
    const asked = await slack('{"type":"url_verification","challenge":"abc"}');
    const reply = await deliver("chat", asked);
    expect([reply.status, reply.body]).toEqual([200, { challenge: "abc" }]);
    expect((await call<{ tasks: unknown[] }>("GET", "/v1/tasks")).body.tasks).toEqual([]);
  });

  it.each([
    ["X-Signature", undefined, toHex],
    ["X-Shop-Hmac", { header: "X-Shop-Hmac", encoding: "base64", prefix: "" }, toBase64],
    ["X-Sig", { header: "X-Sig", encoding: "hex", prefix: "sha256=" }, toHex],
  ] as const)("WH8 with an HMAC in %s becomes a task", async (header, signature, encode) => {
    await register("shop", { scheme: "hmac", secret: SECRET, signature });
    const text = (signature?.prefix ?? "") + encode(await macOf(EVENT));
    const delivery = { raw: EVENT, headers: { [header]: text }, token: null };
    expect((await deliver("shop", delivery)).status).toBe(202);
  });

  it.each([
    [{ scheme: "slack", signature: { header: "x-mine" } }, ["signature"]],
    [{ scheme: "hmac", signature: { header: "not a name" } }, ["signature.header"]],
    [{ scheme: "hmac", signature: { header: "x", encoding: "base32" } }, ["signature.encoding"]],
    [{ scheme: "hmac", signature: { header: "x", prefix: "é" } }, ["signature.prefix"]],
  ])("HT3 is refused for a source with %j", async (source, places) => {
    const json = { secret: SECRET, task: { kind: "a" }, ...source };
    expect(placesOf(await call("PUT", "/v1/webhook-sources/shop", { json }))).toEqual(places);
  });
});

describe("a source's secrets", () => {
  const OTHER_KEY = new Uint8Array(32).fill(9);
  const OTHER = `whsec_${toBase64(OTHER_KEY)}`;
  const put = (json: object) =>
    call<WebhookSourceView>("PUT", "/v1/webhook-sources/files", {
      json: { scheme: "standard-webhooks", task: { kind: "$.type" }, ...json },
    });

  it("WH10 may be several, and each is accepted until it is removed", async () => {
    expect((await put({ secrets: [OTHER, STANDARD_SECRET] })).body.secrets).toBe(2);
    const old = await standard(EVENT, { id: "a" });
    const next = await standard(EVENT, { id: "b", key: OTHER_KEY });
    for (const delivery of [old, next]) expect((await deliver("files", delivery)).status).toBe(202);
    await put({ secrets: [OTHER] });
    problemOf(await deliver("files", old), "signature_invalid");
    expect((await deliver("files", next)).status).toBe(202);
  });

  it("WH10 stay if the source is changed without secrets", async () => {
    await put({ secrets: [OTHER, STANDARD_SECRET] });
    expect((await put({ task: { kind: "renamed" } })).body.secrets).toBe(2);
    expect((await deliver("files", await standard(EVENT))).status).toBe(202);
  });

  it("WH10 are checked again if the scheme changes", async () => {
    await call("PUT", "/v1/webhook-sources/files", {
      json: { scheme: "github", secret: "no base64 at all", task: { kind: "a" } },
    });
    expect(placesOf(await put({}))).toEqual(["secret"]);
  });

  it.each([
    [{}, ["secret"]],
    [{ secret: OTHER, secrets: [OTHER] }, ["secrets"]],
    [{ secrets: [] }, ["secrets"]],
    [{ secrets: Array.from({ length: 4 }, () => OTHER) }, ["secrets"]],
    [{ secrets: [OTHER, "whsec_not base64, not at all"] }, ["secrets.1"]],
  ])("WH10 are one to three, in one of two fields: %j is refused", async (json, places) => {
    expect(placesOf(await put(json))).toEqual(places);
    problemOf(await call("GET", "/v1/webhook-sources/files"), "not_found");
  });
});
