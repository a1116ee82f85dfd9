import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import {
  BATCH_BODY_BYTES_MAX,
  BODY_BYTES_MAX,
  DEPLOY_BODY_BYTES_MAX,
  TASK_PAYLOAD_BYTES_MAX,
  WEBHOOK_BODY_BYTES_DEFAULT,
} from "../../src/protocol/constants.ts";
import type { TaskView } from "../../src/protocol/http.ts";
import { exampleOf, operations } from "./description.ts";
import { call, callWith, problemOf, streamOf } from "./http.ts";
import { register, standard } from "./signed-deliveries.ts";

afterEach(async () => {
  await reset();
});

const JSON_TYPE = { "Content-Type": "application/json" };

/** Every route with a JSON body: method and path. */
const takers = async (): Promise<[string, string][]> =>
  (await operations())
    .filter(
      ({ requestBody, security }) =>
        requestBody?.content["application/json"] !== undefined &&
        security.some(({ bearer }) => bearer !== undefined),
    )
    .map(({ method, path }) => [method, exampleOf(path)]);

/** The JSON of a task whose payload is one string of this many bytes, including its quotes. */
const taskOfPayload = (bytes: number): string =>
  JSON.stringify({ kind: "test", payload: "x".repeat(bytes - 2) });

/** A valid task of exactly this many bytes: blanks may follow JSON. */
const padded = (bytes: number): string => '{"kind":"test"}'.padEnd(bytes);

const taskCount = async (): Promise<number> =>
  (await call<{ tasks: unknown[] }>("GET", "/v1/tasks")).body.tasks.length;

describe("the media type of a body", () => {
  it.each([
    "",
    "text/plain",
    "text/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonp",
    "application/json-seq",
    "application/octet-stream",
    "json",
    "application/json;",
    "text/plain; application/json",
  ])("HT4 %j is refused with 415", async (type) => {
    for (const [method, path] of await takers()) {
      const reply = await call(method, path, { raw: "{}", headers: { "Content-Type": type } });
      problemOf(reply, "unsupported_media_type");
    }
  });

  it("HT4 is required", async () => {
    for (const [method, path] of await takers()) {
      const raw = new TextEncoder().encode("{}");
      problemOf(await call(method, path, { raw }), "unsupported_media_type");
      problemOf(await call(method, path), "unsupported_media_type");
    }
  });

  it.each([
    "application/json",
    "application/json; charset=utf-8",
    "application/json;charset=UTF-8",
    "APPLICATION/JSON",
    "application/vnd.muster+json",
    'application/json; charset="utf-8"; profile=x',
  ])("HT4 %j is accepted as JSON, and every field is read", async (type) => {
    const key = `09${"00".repeat(31)}`;
    const raw = '{"label":"read","roles":["dual"]}';
    const reply = await call("PUT", `/v1/allowlist/${key}`, {
      raw,
      headers: { "Content-Type": type },
    });
    expect(reply).toMatchObject({ status: 200, body: { label: "read", roles: ["dual"] } });
  });
});

describe("a body", () => {
  it.each([
    ["an empty body", ""],
    ["only blanks", " \n"],
    ["half an object", '{"kind":"test"'],
    ["two objects", '{"kind":"test"}{}'],
    ["a trailing comma", '{"kind":"test",}'],
    ["single quotes", "{'kind':'test'}"],
    ["a comment", '{"kind":"test"}//'],
    ["NaN", '{"kind":"test","payload":NaN}'],
    ["a byte order mark", '\ufeff{"kind":"test"}'],
    ["a control character in a string", '{"kind":"test","payload":"\u0001"}'],
    ["a form", "kind=test"],
  ])("HT4 that is not JSON is refused: %s", async (_, raw) => {
    for (const [method, path] of await takers())
      problemOf(await call(method, path, { raw, headers: JSON_TYPE }), "invalid_request");
    expect(await taskCount()).toBe(0);
  });

  it("HT75 that is not JSON is refused with the line and the column of what can't be read", async () => {
    for (const [method, path] of await takers()) {
      const raw = '{\n  "kind": "test",\n  "payload": NaN\n}';
      const reply = await call(method, path, { raw, headers: JSON_TYPE });
      expect(problemOf(reply, "invalid_request").detail).toBe(
        "the body can't be read: expected a JSON value (line 3, column 14)",
      );
    }
  });

  it("HT4 that is not UTF-8 is refused, and not repaired", async () => {
    const text = new TextEncoder().encode('{"kind":"test","payload":"?"}');
    const latin1 = text.map((byte) => (byte === "?".charCodeAt(0) ? 0xe9 : byte));
    problemOf(
      await call("POST", "/v1/tasks", { raw: latin1, headers: JSON_TYPE }),
      "invalid_request",
    );
    expect(await taskCount()).toBe(0);
  });

  it("HT4 is read completely if its chunks split a character", async () => {
    const bytes = new TextEncoder().encode('{"kind":"test","payload":"\u{1f309}"}');
    const raw = new ReadableStream({
      start(controller) {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
    const { status, body } = await call<TaskView>("POST", "/v1/tasks", { raw, headers: JSON_TYPE });
    expect([status, body.payload]).toEqual([202, "\u{1f309}"]);
  });
});

const nested = (levels: number, open: string, close: string): string =>
  `{"kind":"test","payload":${open.repeat(levels)}null${close.repeat(levels)}}`;

describe("the depth of a body", () => {
  it.each([
    ["[", "]"],
    ['{"a":', "}"],
  ])("HT4 is limited for nested %s", async (open, close) => {
    const deepest = await call("POST", "/v1/tasks", {
      raw: nested(30, open, close),
      headers: JSON_TYPE,
    });
    expect(deepest.status).toBe(202);
    for (const levels of [31, 32, 1_000, 50_000]) {
      const raw = nested(levels, open, close).slice(0, BODY_BYTES_MAX);
      const reply = await call("POST", "/v1/tasks", { raw, headers: JSON_TYPE });
      expect(problemOf(reply, "invalid_request").detail).toContain("deeper");
    }
    expect(await taskCount()).toBe(1);
  });

  it("HT4 does not count brackets in strings", async () => {
    const payload = '[{"\\"['.repeat(1_000);
    const { body } = await call<TaskView>("POST", "/v1/tasks", { json: { kind: "test", payload } });
    expect(body.payload).toBe(payload);
  });

  it("HT4 is limited in a webhook source too, below the limit of a mapping", async () => {
    const secret = "sixteen characters";
    const raw = `{"scheme":"github","secret":"${secret}","task":${nested(40, "[", "]")}}`;
    const reply = await call("PUT", "/v1/webhook-sources/deep", { raw, headers: JSON_TYPE });
    problemOf(reply, "invalid_request");
  });
});

/** A task may contain a bundle to deploy. */
const TASK_BODY_BYTES_MAX = DEPLOY_BODY_BYTES_MAX;

/** Of the routes with a limit of their own. */
const LIMITS: ReadonlyMap<string, number> = new Map([
  ["/v1/task-batches", BATCH_BODY_BYTES_MAX],
  ["/v1/tasks", TASK_BODY_BYTES_MAX],
  [exampleOf("/v1/peers/{id}/requests"), DEPLOY_BODY_BYTES_MAX],
]);

describe("the size of a body", () => {
  it("HT4 is limited to the exact byte", async () => {
    const fits = await call("POST", "/v1/tasks", {
      raw: padded(TASK_BODY_BYTES_MAX),
      headers: JSON_TYPE,
    });
    expect(fits.status).toBe(202);
    const raw = padded(TASK_BODY_BYTES_MAX + 1);
    problemOf(await call("POST", "/v1/tasks", { raw, headers: JSON_TYPE }), "payload_too_large");
    expect(await taskCount()).toBe(1);
  });

  it("HT4 is limited to the exact byte if it comes in chunks without Content-Length", async () => {
    const [half, rest] = [padded(TASK_BODY_BYTES_MAX / 2), " ".repeat(TASK_BODY_BYTES_MAX / 2)];
    const fits = await call("POST", "/v1/tasks", { raw: streamOf(half, rest), headers: JSON_TYPE });
    expect(fits.status).toBe(202);
    const raw = streamOf(half, rest, " ");
    problemOf(await call("POST", "/v1/tasks", { raw, headers: JSON_TYPE }), "payload_too_large");
    expect(await taskCount()).toBe(1);
  });

  it("HT4 is refused by its Content-Length before any byte is read", async () => {
    let pulled = 0;
    const raw = new ReadableStream(
      {
        pull(controller) {
          pulled++;
          controller.enqueue(new Uint8Array(1_024));
        },
      },
      { highWaterMark: 0 },
    );
    const headers = { ...JSON_TYPE, "Content-Length": String(TASK_BODY_BYTES_MAX + 1) };
    const reply = await callWith({}, "POST", "/v1/tasks", { raw, headers });
    problemOf(reply, "payload_too_large");
    expect(pulled).toBe(0);
  });

  it("HT4 of an endless body: reading stops at the limit", async () => {
    let sent = 0;
    const raw = new ReadableStream({
      pull(controller) {
        sent += 65_536;
        controller.enqueue(new Uint8Array(65_536));
        // Not endless, so that a mesh that does not stop reading fails this test instead of hanging it.
        if (sent > 8 * TASK_BODY_BYTES_MAX) controller.close();
      },
    });
    problemOf(
      await callWith({}, "POST", "/v1/tasks", { raw, headers: JSON_TYPE }),
      "payload_too_large",
    );
    expect(sent).toBeLessThan(2 * TASK_BODY_BYTES_MAX);
  });

  it("HT4 is limited on every route with a JSON body, before the body is validated", async () => {
    for (const [method, path] of await takers()) {
      const limit = LIMITS.get(path) ?? BODY_BYTES_MAX;
      const raw = "x".repeat(limit + 1);
      const headers = { "Content-Type": "text/plain" };
      problemOf(await call(method, path, { raw, headers }), "payload_too_large");
    }
  });

  it("HT4 of a payload is limited to the exact byte of its JSON", async () => {
    const raw = taskOfPayload(TASK_PAYLOAD_BYTES_MAX);
    expect((await call("POST", "/v1/tasks", { raw, headers: JSON_TYPE })).status).toBe(202);
    const over = taskOfPayload(TASK_PAYLOAD_BYTES_MAX + 1);
    problemOf(
      await call("POST", "/v1/tasks", { raw: over, headers: JSON_TYPE }),
      "payload_too_large",
    );
    expect(await taskCount()).toBe(1);
  });

  it("HT4 of a payload is counted in bytes, not in characters", async () => {
    const payload = "\u{1f309}".repeat(TASK_PAYLOAD_BYTES_MAX / 4);
    problemOf(
      await call("POST", "/v1/tasks", { json: { kind: "test", payload } }),
      "payload_too_large",
    );
  });

  it("HT4 of a webhook delivery has its own limit", async () => {
    await register("files");
    const path = "/v1/webhooks/files";
    const limit = "x".repeat(WEBHOOK_BODY_BYTES_DEFAULT);
    const { headers = {} } = await standard("{}");
    const sent = { headers, token: null };
    problemOf(await call("POST", path, { ...sent, raw: limit }), "signature_invalid");
    problemOf(await call("POST", path, { ...sent, raw: `${limit}x` }), "payload_too_large");
    const raw = streamOf(limit, "x");
    problemOf(await call("POST", path, { ...sent, raw }), "payload_too_large");
  });
});
