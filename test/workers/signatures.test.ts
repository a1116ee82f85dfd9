import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import type { TaskView } from "../../src/protocol/http.ts";
import {
  deliver,
  github,
  GITHUB_SOURCE,
  register,
  standard,
  storedBy,
  unixNow,
  withHeaders,
  without,
} from "./signed-deliveries.ts";
import { call, problemOf, type Call } from "./http.ts";

afterEach(async () => {
  await reset();
});

const EVENT = '{"type":"file.added","data":{"file":"a.txt"}}';

const taskOf = async (id: string | null): Promise<TaskView> =>
  (await call<TaskView>("GET", `/v1/tasks/${id}`)).body;

const signatureOf = ({ headers = {} }: Call, name: string): string => headers[name] ?? "";

describe("a signed delivery", () => {
  it("WH1 needs no token, and becomes a task of its source", async () => {
    await register("files");
    const { status, body } = await deliver("files", await standard(EVENT));
    expect([status, body.duplicate]).toEqual([202, false]);
    expect(await taskOf(body.task_id)).toMatchObject({
      kind: "file.added",
      payload: JSON.parse(EVENT),
      source: "webhook:files",
      state: "queued",
    });
    expect(await storedBy("files")).toEqual({ tasks: 1, deliveries: 1 });
  });

  it("WH1 is accepted with GitHub's signature", async () => {
    await register("repo", GITHUB_SOURCE);
    const { status, body } = await deliver("repo", await github('{"commits":["a","b"]}'));
    expect([status, body.duplicate]).toEqual([202, false]);
    expect(await taskOf(body.task_id)).toMatchObject({ kind: "push", payload: ["a", "b"] });
  });

  it("WH1 is verified over its raw body: the same JSON in other bytes is refused", async () => {
    await register("files");
    for (const other of [
      `${EVENT} `,
      EVENT.replace(":", ": "),
      EVENT.replace("a.txt", "\\u0061.txt"),
    ]) {
      const delivery = { ...(await standard(EVENT)), raw: other };
      problemOf(await deliver("files", delivery), "signature_invalid");
    }
    expect(await storedBy("files")).toEqual({ tasks: 0, deliveries: 0 });
  });

  it.each(["text/plain", "application/x-www-form-urlencoded", "application/cloudevents+json"])(
    "WH1 may have the media type %s: only the signature and the bytes matter",
    async (type) => {
      await register("files");
      const delivery = withHeaders(await standard(EVENT), { "Content-Type": type });
      expect((await deliver("files", delivery)).status).toBe(202);
    },
  );

  it("WH1 needs a valid signature even with the operator's token", async () => {
    await register("files");
    const { token: _, ...delivery } = without(await standard(EVENT), "webhook-signature");
    problemOf(await deliver("files", delivery), "signature_missing");
  });

  it("WH1 may come in chunks", async () => {
    await register("files");
    const delivery = await standard(EVENT);
    const raw = new Response(delivery.raw).body?.pipeThrough(new TransformStream());
    if (raw === undefined) throw new Error("no stream");
    expect((await deliver("files", { ...delivery, raw })).status).toBe(202);
  });

  it("WH1 is accepted if one of several signatures is valid, as during a rotation", async () => {
    await register("files");
    const delivery = await standard(EVENT);
    const right = signatureOf(delivery, "webhook-signature");
    const signatures = `v1,${btoa("x".repeat(32))} v2,later ${right}`;
    const several = withHeaders(delivery, { "webhook-signature": signatures });
    expect((await deliver("files", several)).status).toBe(202);
  });
});

describe("a delivery without a valid signature", () => {
  it.each(["webhook-id", "webhook-timestamp", "webhook-signature"])(
    "WH2 without %s is answered with signature_missing, and nothing is stored",
    async (name) => {
      await register("files");
      const delivery = without(await standard(EVENT), name);
      problemOf(await deliver("files", delivery), "signature_missing");
      expect(await storedBy("files")).toEqual({ tasks: 0, deliveries: 0 });
    },
  );

  it.each([
    ["another id", { "webhook-id": "msg_2" }],
    ["another time", { "webhook-timestamp": String(unixNow() - 7) }],
    ["another signature", { "webhook-signature": `v1,${btoa("x".repeat(32))}` }],
    ["another version", { "webhook-signature": "v2,AAAA" }],
    ["a malformed signature", { "webhook-signature": "," }],
    ["a malformed time", { "webhook-timestamp": "1e9" }],
    ["a negative time", { "webhook-timestamp": "-1" }],
    ["a time in milliseconds", { "webhook-timestamp": String(Date.now()) }],
    ["an id with a full stop", { "webhook-id": "a.b" }],
    ["a very long list of signatures", { "webhook-signature": "v1,AAAA ".repeat(400).trim() }],
  ])("WH2 is answered with signature_invalid, and nothing is stored: %s", async (_, headers) => {
    await register("files");
    const delivery = withHeaders(await standard(EVENT), headers);
    problemOf(await deliver("files", delivery), "signature_invalid");
    expect(await storedBy("files")).toEqual({ tasks: 0, deliveries: 0 });
  });

  it("WH2 is refused if it is signed with another secret", async () => {
    await register("files");
    const delivery = await standard(EVENT, { key: new Uint8Array(32).fill(8) });
    problemOf(await deliver("files", delivery), "signature_invalid");
  });

  it.each([-3_600, -310, 310, 86_400])(
    "WH2 is stale if it was signed %s s from now",
    async (seconds) => {
      await register("files");
      const delivery = await standard(EVENT, { at: unixNow() + seconds });
      problemOf(await deliver("files", delivery), "signature_stale");
      expect(await storedBy("files")).toEqual({ tasks: 0, deliveries: 0 });
    },
  );

  it.each([-280, 280])("WH2 is accepted if it was signed %s s from now", async (seconds) => {
    await register("files");
    const delivery = await standard(EVENT, { at: unixNow() + seconds });
    expect((await deliver("files", delivery)).status).toBe(202);
  });

  it("WH2 does not occupy its ID: a valid delivery with the same ID becomes a task", async () => {
    await register("files");
    const delivery = await standard(EVENT, { id: "msg_first" });
    const forged = withHeaders(delivery, { "webhook-signature": "v1,AAAA" });
    problemOf(await deliver("files", forged), "signature_invalid");
    const { status, body } = await deliver("files", delivery);
    expect([status, body.duplicate]).toEqual([202, false]);
  });

  it("WH2 is refused for its signature before its body is read", async () => {
    await register("files");
    for (const raw of ["not JSON", "", "{}", `{"type":"${"x".repeat(500)}"}`])
      problemOf(await deliver("files", { ...(await standard(EVENT)), raw }), "signature_invalid");
  });

  it.each([
    ["signature_missing", {}],
    ["signature_missing", { "X-Hub-Signature": "sha1=da39a3ee5e6b4b0d3255bfef95601890afd80709" }],
    ["signature_invalid", { "X-Hub-Signature-256": "sha256=" }],
    ["signature_invalid", { "X-Hub-Signature-256": `sha256=${"0".repeat(64)}` }],
    ["signature_invalid", { "X-Hub-Signature-256": "0".repeat(64) }],
  ] as const)("WH2 from GitHub is answered with %s for the headers %j", async (code, headers) => {
    await register("repo", GITHUB_SOURCE);
    const bare = without(await github('{"commits":[]}'), "X-Hub-Signature-256");
    problemOf(await deliver("repo", withHeaders(bare, headers)), code);
    expect(await storedBy("repo")).toEqual({ tasks: 0, deliveries: 0 });
  });

  it("WH2 is refused if it is signed by another scheme", async () => {
    await register("repo", GITHUB_SOURCE);
    problemOf(await deliver("repo", await standard(EVENT)), "signature_missing");
    await register("files");
    problemOf(await deliver("files", await github(EVENT)), "signature_missing");
  });
});

describe("a repeated delivery", () => {
  it("WH3 is answered with the task of the first, and creates no other", async () => {
    await register("files");
    const delivery = await standard(EVENT);
    const { body: first } = await deliver("files", delivery);
    for (let i = 0; i < 3; i++) {
      const reply = await deliver("files", delivery);
      expect(reply).toMatchObject({
        status: 202,
        body: { task_id: first.task_id, duplicate: true },
      });
    }
    expect(await storedBy("files")).toEqual({ tasks: 1, deliveries: 1 });
  });

  it("WH3 creates one task also if all arrive at once", async () => {
    await register("files");
    const delivery = await standard(EVENT);
    const replies = await Promise.all([1, 2, 3, 4, 5].map(() => deliver("files", delivery)));
    expect(new Set(replies.map(({ body }) => body.task_id)).size).toBe(1);
    expect(replies.filter(({ body }) => !body.duplicate)).toHaveLength(1);
  });

  it("WH3 is recognized by webhook-id, also with another time and body", async () => {
    await register("files");
    const { body: first } = await deliver("files", await standard(EVENT));
    const later = await standard(EVENT.replace("a.txt", "b.txt"), { at: unixNow() - 60 });
    const { body: again } = await deliver("files", later);
    expect(again).toMatchObject({ task_id: first.task_id, duplicate: true });
    const { body: other } = await deliver("files", await standard(EVENT, { id: "msg_2" }));
    expect(other.duplicate).toBe(false);
    expect(other.task_id).not.toBe(first.task_id);
  });

  it("WH3 is recognized after its source's mapping has changed", async () => {
    await register("files");
    const delivery = await standard(EVENT);
    const { body: first } = await deliver("files", delivery);
    await register("files", { task: { kind: "renamed", payload: "$.data.file" } });
    const { status, body } = await deliver("files", delivery);
    expect([status, body.task_id, body.duplicate]).toEqual([202, first.task_id, true]);
  });

  it("WH3 is recognized after its task has ended", async () => {
    await register("files");
    const delivery = await standard(EVENT);
    const { body: first } = await deliver("files", delivery);
    await call("DELETE", `/v1/tasks/${first.task_id}`);
    expect((await deliver("files", delivery)).body).toEqual({ ...first, duplicate: true });
  });

  it("WH3 is a new delivery at another source", async () => {
    await register("files");
    await register("copies");
    const delivery = await standard(EVENT);
    const [one, two] = [await deliver("files", delivery), await deliver("copies", delivery)];
    expect([one.body.duplicate, two.body.duplicate]).toEqual([false, false]);
    expect(one.body.task_id).not.toBe(two.body.task_id);
  });

  it("WH3 does not share its ID with an API caller's idempotency key", async () => {
    await register("files");
    const { body } = await deliver("files", await standard(EVENT, { id: "shared" }));
    const headers = { "Idempotency-Key": "shared" };
    const given = await call("POST", "/v1/tasks", { json: { kind: "test" }, headers });
    expect(given.status).toBe(202);
    expect(given.body["id"]).not.toBe(body.task_id);
  });

  it("WH3 from GitHub is recognized by its body, not by the unsigned header X-GitHub-Delivery", async () => {
    await register("repo", GITHUB_SOURCE);
    const { body: first } = await deliver("repo", await github('{"commits":[1]}', { id: "a" }));
    const { body: again } = await deliver("repo", await github('{"commits":[1]}', { id: "b" }));
    expect(again).toMatchObject({ task_id: first.task_id, duplicate: true });
    const { body: other } = await deliver("repo", await github('{"commits":[2]}', { id: "a" }));
    expect(other.duplicate).toBe(false);
  });
});
