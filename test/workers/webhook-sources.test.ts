import { reset, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { toBase64, toHex, utf8 } from "../../src/base/bytes.ts";
import { WebhookSourceView, type TaskView } from "../../src/protocol/http.ts";
import {
  deliver,
  github,
  GITHUB_SECRET,
  GITHUB_SOURCE,
  register,
  standard,
  STANDARD_SECRET,
  STANDARD_SOURCE,
  storedBy,
} from "./signed-deliveries.ts";
import { call, callWith, placesOf, problemOf } from "./http.ts";

afterEach(async () => {
  await reset();
});

const EVENT = '{"type":"file.added","data":{"file":"a.txt"}}';

async function payloadOf(task: object, event: string): Promise<unknown> {
  await register("files", { task });
  const { body } = await deliver("files", await standard(event));
  return (await call<TaskView>("GET", `/v1/tasks/${body.task_id}`)).body.payload;
}

describe("an event", () => {
  it("WH4 becomes a task by its source's mapping", async () => {
    const task = {
      kind: "$.type",
      payload: { file: "$.data['file']", all: ["$", "$$.type", 5, null], plain: "text" },
      priority: 7,
      max_attempts: 2,
      lease_seconds: 30,
      deadline_seconds: 90,
      requirements: { capabilities: ["gpu"] },
    };
    await register("files", { task });
    const { body } = await deliver("files", await standard(EVENT));
    expect((await call("GET", `/v1/tasks/${body.task_id}`)).body).toMatchObject({
      kind: "file.added",
      payload: { file: "a.txt", all: [JSON.parse(EVENT), "$.type", 5, null], plain: "text" },
      priority: 7,
      max_attempts: 2,
      lease_seconds: 30,
      requirements: { capabilities: ["gpu"] },
    });
  });

  it.each([
    ["is no JSON", "type=file.added"],
    ["is empty", ""],
    ["is cut off", EVENT.slice(0, -1)],
    ["nests too deep", `{"type":"a","data":${"[".repeat(50)}${"]".repeat(50)}}`],
    ["has no kind", '{"data":{}}'],
    ["has a kind that is none", '{"type":"not a kind"}'],
    ["has a kind that is no text", '{"type":5}'],
    ["is a list", "[]"],
    ["is null", "null"],
    ["would make too large a payload", `{"type":"a","data":"${"x".repeat(300_000)}"}`],
  ])("WH4 that %s is answered with event_unmapped, and stores nothing", async (_, event) => {
    await register("files");
    problemOf(await deliver("files", await standard(event)), "event_unmapped");
    expect(await storedBy("files")).toEqual({ tasks: 0, deliveries: 0 });
  });

  it("WH4 that is not UTF-8 is answered with event_unmapped although its signature is valid", async () => {
    await register("files");
    const bytes = utf8(EVENT);
    bytes[bytes.indexOf("a".charCodeAt(0))] = 0xff;
    problemOf(await deliver("files", await standard(bytes)), "event_unmapped");
  });

  it("WH9 that GitHub posts as a form becomes a task", async () => {
    await register("repo", GITHUB_SOURCE);
    const form = `payload=${encodeURIComponent('{"commits":["a"]}')}`;
    const { body } = await deliver("repo", await github(form));
    expect((await call<TaskView>("GET", `/v1/tasks/${body.task_id}`)).body.payload).toEqual(["a"]);
  });

  it("WH4 that does not fit is answered with the path that failed", async () => {
    await register("files", { task: { kind: "fixed", payload: { a: "$.data.size[0]" } } });
    const reply = await deliver("files", await standard(EVENT));
    expect(problemOf(reply, "event_unmapped").detail).toContain("$.data.size[0]");
  });

  it("WH4 that did not fit may be sent again after the mapping is corrected", async () => {
    await register("files", { task: { kind: "$.kind" } });
    const delivery = await standard(EVENT);
    problemOf(await deliver("files", delivery), "event_unmapped");
    await register("files");
    expect(await deliver("files", delivery)).toMatchObject({
      status: 202,
      body: { duplicate: false },
    });
  });

  it("WH4 keeps members with names that every object has as data, and inherits none", async () => {
    const event = '{"type":"a","__proto__":{"file":"inherited"},"constructor":1}';
    const all = (await payloadOf({ kind: "$.type" }, event)) as object;
    expect(Object.keys(all)).toEqual(["type", "__proto__", "constructor"]);
    await register("other", { task: { kind: "$.type", payload: "$.file" } });
    problemOf(await deliver("other", await standard(event)), "event_unmapped");
  });
});

describe("a source", () => {
  it("WH4 is refused if its mapping is unusable for every event", async () => {
    for (const [place, task] of [
      ["task.kind", { kind: "$." }],
      ["task.kind", { kind: "not a kind" }],
      ["task.kind", { kind: "" }],
      ["task.kind", {}],
      ["task.payload.a", { kind: "a", payload: { a: "$.x[" } }],
      ["task.payload.0", { kind: "a", payload: ["$..x"] }],
      ["task.priority", { kind: "a", priority: 1_000 }],
      ["task.max_attempts", { kind: "a", max_attempts: 0 }],
    ] as const)
      expect(placesOf(await register("files", { task }))).toEqual([place]);
    problemOf(await call("GET", "/v1/webhook-sources/files"), "not_found");
  });

  it.each([
    ["scheme", { scheme: "rsa" }],
    ["scheme", { scheme: undefined }],
    ["secret", { secret: "too short" }],
    ["secret", { secret: "x".repeat(501) }],
    ["secret", { secret: undefined }],
    ["secret", { secret: 1_234_567_890_123_456 }],
    // Long enough as text, but not a Standard Webhooks key.
    ["secret", { secret: "whsec_not base64, not at all" }],
    ["secret", { secret: `whsec_${btoa("x".repeat(23))}` }],
    ["secret", { scheme: "github", secret: "a lone surrogate: \ud800" }],
    ["task", { task: null }],
  ])("HT3 with a wrong %s is refused: %j", async (place, wrong) => {
    const reply = await call("PUT", "/v1/webhook-sources/files", {
      json: { ...STANDARD_SOURCE, ...wrong },
    });
    expect(placesOf(reply)).toEqual([place]);
    if ("secret" in wrong && typeof wrong.secret === "string")
      expect(reply.text).not.toContain(wrong.secret.slice(0, 12));
    problemOf(await call("GET", "/v1/webhook-sources/files"), "not_found");
  });

  it("WH5 is shown without its secret, by every route", async () => {
    const put = await register("files");
    const bad = await deliver("files", await standard("not JSON"));
    const good = await deliver("files", await standard(EVENT));
    const task = await call("GET", `/v1/tasks/${good.body.task_id}`);
    const get = await call("GET", "/v1/webhook-sources/files");
    for (const { text } of [put, get, bad, good, task])
      for (const shown of [
        STANDARD_SECRET,
        STANDARD_SECRET.slice(6),
        "07".repeat(32),
        "sealed_secret",
      ])
        expect(text).not.toContain(shown);
    expect(WebhookSourceView.strict().parse(get.body)).toMatchObject({ name: "files" });
    expect(get.body).toEqual({ ...put.body, deliveries: 1 });
  });

  it("WH1 that gets a new secret accepts only the new one", async () => {
    const { body: before } = await register("files");
    await deliver("files", await standard(EVENT, { id: "msg_old" }));
    const key = new Uint8Array(32).fill(9);
    const secret = btoa(String.fromCharCode(...key));
    const { body: after } = await register("files", { secret });
    expect(after).toMatchObject({ created_at: before.created_at, deliveries: 1 });
    problemOf(await deliver("files", await standard(EVENT)), "signature_invalid");
    expect((await deliver("files", await standard(EVENT, { key }))).status).toBe(202);
  });

  it("WH1 that is replaced may change its scheme", async () => {
    await register("files");
    await register("files", GITHUB_SOURCE);
    problemOf(await deliver("files", await standard('{"commits":[]}')), "signature_missing");
    expect((await deliver("files", await github('{"commits":[]}'))).status).toBe(202);
  });

  it("WH1 that is removed refuses deliveries", async () => {
    await register("files");
    const { body } = await deliver("files", await standard(EVENT));
    const removed = await call("DELETE", "/v1/webhook-sources/files");
    expect([removed.status, removed.text]).toEqual([204, ""]);
    problemOf(await deliver("files", await standard(EVENT, { id: "msg_2" })), "not_found");
    problemOf(await call("GET", "/v1/webhook-sources/files"), "not_found");
    problemOf(await call("DELETE", "/v1/webhook-sources/files"), "not_found");
    // Its tasks stay.
    expect((await call("GET", `/v1/tasks/${body.task_id}`)).status).toBe(200);
  });

  it("HT3 is refused if there are a hundred already", async () => {
    for (let i = 0; i < 100; i++) expect((await register(`s${i}`)).status).toBe(200);
    problemOf(await register("one-more"), "too_many_sources");
    expect((await register("s5", GITHUB_SOURCE)).status).toBe(200);
    await call("DELETE", "/v1/webhook-sources/s5");
    expect((await register("one-more")).status).toBe(200);
  });
});

const coordinator = () => env.COORDINATOR.get(env.COORDINATOR.idFromName("coordinator"));

type Row = Record<string, SqlStorageValue>;

/** Everything in the coordinator's database. */
const everythingStored = (): Promise<Row[]> =>
  runInDurableObject(coordinator(), (_, state) => {
    const { sql } = state.storage;
    const tables = sql.exec<{ name: string }>(
      "SELECT name FROM sqlite_master WHERE type = 'table'",
    );
    return tables
      .toArray()
      .filter(({ name }) => !/^(_cf_|sqlite_)/.test(name))
      .flatMap(({ name }) => sql.exec<Row>(`SELECT * FROM "${name}"`).toArray());
  });

const sealedSecrets = async (): Promise<string[]> =>
  (await everythingStored()).flatMap((row) =>
    "sealed_secret" in row ? [row["sealed_secret"] as string] : [],
  );

describe("a secret in storage", () => {
  it("WH5 is not contained in plain text, in any encoding", async () => {
    await register("files");
    await register("repo", GITHUB_SOURCE);
    await deliver("files", await standard(EVENT));
    // Stored base64 is decoded too: in base64 a text has three encodings, depending on its offset.
    const sealed = (await sealedSecrets()).map((text) => atob(text));
    const stored = [JSON.stringify(await everythingStored()), ...sealed].join("\n");
    expect(stored).toContain("file.added");
    expect(sealed).toHaveLength(2);
    for (const secret of [STANDARD_SECRET, STANDARD_SECRET.slice(6), GITHUB_SECRET]) {
      const bytes = utf8(secret);
      for (const spelling of [secret, toHex(bytes), toBase64(bytes), String.fromCharCode(...bytes)])
        expect(stored).not.toContain(spelling);
    }
  });

  it("WH5 is sealed differently each time", async () => {
    await register("one");
    await register("two");
    const [one, two] = await sealedSecrets();
    await register("one");
    const [again] = await sealedSecrets();
    expect(new Set([one, two, again]).size).toBe(3);
  });

  it("WH5 does not open for another source, or with another signing key", async () => {
    await register("files");
    await register("copy");
    await runInDurableObject(coordinator(), (_, state) => {
      state.storage.sql.exec(
        `UPDATE webhook_sources SET sealed_secret =
           (SELECT sealed_secret FROM webhook_sources WHERE name = 'files') WHERE name = 'copy'`,
      );
    });
    const delivery = await standard(EVENT);
    problemOf(await deliver("copy", delivery), "misconfigured");
    const rotated = { MESH_SIGNING_KEY: "44".repeat(32) };
    problemOf(await callWith(rotated, "POST", "/v1/webhooks/files", delivery), "misconfigured");
    expect((await deliver("files", delivery)).status).toBe(202);
  });

  it.each(["", "AAAA", "not base64", GITHUB_SECRET])(
    "WH5 that was changed (%j) does not open, and causes no crash",
    async (sealed) => {
      await register("files");
      await runInDurableObject(coordinator(), (_, state) => {
        state.storage.sql.exec("UPDATE webhook_sources SET sealed_secret = ?", sealed);
      });
      problemOf(await deliver("files", await standard(EVENT)), "misconfigured");
    },
  );
});
