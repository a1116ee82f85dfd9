import { evictDurableObject, reset, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import {
  WEBHOOK_DELIVERIES_PER_SOURCE_MAX,
  WEBHOOK_DELIVERY_RETENTION,
  WEBHOOK_STORED_BODY_BYTES_MAX,
} from "../../src/protocol/constants.ts";
import type { DryRunView, KeptDelivery, TaskView } from "../../src/protocol/http.ts";
import {
  deliver,
  github,
  GITHUB_SOURCE,
  register,
  standard,
  unixNow,
  withHeaders,
  type Delivered,
} from "./signed-deliveries.ts";
import { coordinatorStub } from "../durable/api.ts";
import { call, placesOf, problemOf, type Call } from "./http.ts";

afterEach(async () => {
  await reset();
});

const EVENT = '{"type":"file.added","data":{"file":"a.txt"}}';
const SOURCE = "/v1/webhook-sources/files";

interface Page {
  readonly deliveries: KeptDelivery[];
  readonly next_cursor: string | null;
}
const page = async (query = ""): Promise<Page> =>
  (await call<Page>("GET", `${SOURCE}/deliveries${query}`)).body;
const kept = async (query = ""): Promise<KeptDelivery[]> => (await page(query)).deliveries;
const replay = (id: string, query = "", headers = {}) =>
  call<Delivered>("POST", `${SOURCE}/deliveries/${id}/replay${query}`, { headers });
const dryRun = (json: object) => call<DryRunView>("POST", `${SOURCE}/test`, { json });

const sql = (query: string, ...bindings: (string | number)[]) =>
  runInDurableObject(env.COORDINATOR.get(env.COORDINATOR.idFromName("coordinator")), (_, state) =>
    state.storage.sql.exec(query, ...bindings).toArray(),
  );
const tasks = async (): Promise<number> =>
  (await call<{ tasks: unknown[] }>("GET", "/v1/tasks")).body.tasks.length;

describe("an event that a filter excludes", () => {
  it("WH11 is answered with 2xx and the filter, and does not become a task", async () => {
    await register("files", { filters: [{ path: "$.type", matches: "file.*" }] });
    const taken = await deliver("files", await standard(EVENT));
    expect(taken).toMatchObject({ status: 202, body: { duplicate: false, filtered: null } });
    const left = await deliver("files", await standard('{"type":"ping"}', { id: "b" }));
    expect(left).toMatchObject({
      status: 202,
      body: { task_id: null, duplicate: false, filtered: expect.stringContaining("$.type") },
    });
    expect(await tasks()).toBe(1);
  });

  it("WH11 may be excluded by a header, and is filtered only after its signature is verified", async () => {
    await register("files", {
      ...GITHUB_SOURCE,
      filters: [{ header: "X-GitHub-Event", equals: "push" }],
    });
    const push = await github('{"commits":[]}');
    expect((await deliver("files", push)).body.task_id).not.toBeNull();
    const opened = withHeaders(await github('{"commits":[1]}'), { "X-GitHub-Event": "issues" });
    expect((await deliver("files", opened)).body.task_id).toBeNull();
    const forged = withHeaders(opened, { "X-Hub-Signature-256": "sha256=00" });
    problemOf(await deliver("files", forged), "signature_invalid");
  });

  it.each([
    [[{ path: "$..x", equals: 1 }], ["filters.0.path"]],
    [[{ path: "$.x" }], ["filters.0.equals"]],
    [[{ equals: "x" }], ["filters.0.path"]],
    [Array.from({ length: 11 }, () => ({ path: "$.x", equals: 1 })), ["filters"]],
  ])(
    "HT3 by an unusable filter is refused when the source is registered: %j",
    async (filters, places) => {
      const json = { scheme: "github", secret: "sixteen characters", task: { kind: "a" }, filters };
      expect(placesOf(await call("PUT", SOURCE, { json }))).toEqual(places);
    },
  );
});

describe("GitHub's ping", () => {
  const pinged = async (body: string): Promise<Call> =>
    withHeaders(await github(body), { "X-GitHub-Event": "ping" });

  it.each([
    ["JSON", '{"zen":"Design for failure.","hook_id":1}'],
    ["a form", `payload=${encodeURIComponent('{"zen":"Design for failure."}')}`],
  ])("WH42 as %s is answered 200 and recorded, and becomes no task", async (_, body) => {
    await register("files", { ...GITHUB_SOURCE, task: { kind: "push", payload: "$.after" } });
    const reply = await deliver("files", await pinged(body));
    expect([reply.status, reply.body]).toEqual([200, { ping: true }]);
    const [recorded] = await kept("?outcome=ping");
    expect(recorded).toMatchObject({ outcome: "ping", task_id: null, detail: null });
    expect((await replay(recorded?.id ?? "")).body.task_id).toBeNull();
    expect((await dryRun({ delivery: recorded?.id })).body).toMatchObject({ outcome: "ping" });
    expect(await tasks()).toBe(0);
  });

  it("WH42 is refused with a wrong signature, and does not use up the ID of the same body", async () => {
    await register("files", GITHUB_SOURCE);
    const ping = await pinged('{"commits":[]}');
    problemOf(
      await deliver("files", withHeaders(ping, { "X-Hub-Signature-256": "sha256=00" })),
      "signature_invalid",
    );
    expect(await kept()).toEqual([]);
    expect((await deliver("files", ping)).status).toBe(200);
    const push = await deliver("files", await github('{"commits":[]}'));
    expect(push).toMatchObject({ status: 202, body: { duplicate: false } });
  });

  it("WH42 is a name of GitHub's header only: another scheme has no ping", async () => {
    await register("files");
    const event = withHeaders(await standard(EVENT), { "X-GitHub-Event": "ping" });
    expect(await deliver("files", event)).toMatchObject({
      status: 202,
      body: { duplicate: false },
    });
  });
});

describe("a dry run", () => {
  it("WH13 shows the task that a sample would become, and stores nothing", async () => {
    const task = {
      kind: "$.type",
      payload: { f: "$.data.file", n: "$.n" },
      defaults: { "$.n": 5 },
    };
    await register("files", { task, filters: [{ path: "$.type", matches: "file.*" }] });
    const { status, body } = await dryRun({ event: JSON.parse(EVENT) });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      outcome: "task",
      reason: null,
      task: { kind: "file.added", payload: { f: "a.txt", n: 5 } },
      filters: [{ holds: true, found: "file.added" }],
      signature: null,
    });
    expect([await tasks(), await kept()]).toEqual([0, []]);
  });

  it("WH13 names the filter that excludes the sample, or the path that selects nothing", async () => {
    await register("files", {
      task: { kind: "$.kind" },
      filters: [{ path: "$.type", equals: "other" }],
    });
    const left = await dryRun({ event: { type: "x", kind: "k" } });
    expect(left.body).toMatchObject({
      outcome: "filtered",
      reason: expect.stringContaining("$.type"),
      task: { kind: "k" },
      filters: [{ holds: false, found: "x" }],
    });
    const unfit = await dryRun({ event: { type: "other" } });
    expect(unfit.body).toMatchObject({
      outcome: "unmapped",
      reason: expect.stringContaining("$.kind"),
      task: null,
    });
    expect((await dryRun({ body: "not JSON" })).body).toMatchObject({ outcome: "unmapped" });
  });

  it("WH13 verifies the signature of a sample that has one", async () => {
    await register("files");
    const { headers = {} } = await standard(EVENT);
    const signature = async (changed: object, body = EVENT) =>
      (await dryRun({ body, headers: { ...headers, ...changed } })).body.signature;
    expect(await signature({})).toBe("right");
    expect(await signature({}, `${EVENT} `)).toBe("signature_invalid");
    expect(await signature({ "webhook-signature": "" })).toBe("signature_missing");
    const late = await standard(EVENT, { at: unixNow() - 3_600 });
    expect(await signature(late.headers ?? {})).toBe("signature_stale");
    expect(await tasks()).toBe(0);
  });

  it("WH13 of a recorded delivery shows the outcome by the current rules", async () => {
    await register("files", { task: { kind: "$.kind" } });
    problemOf(await deliver("files", await standard(EVENT)), "event_unmapped");
    const [delivery] = await kept();
    await register("files");
    expect((await dryRun({ delivery: delivery?.id })).body).toMatchObject({
      outcome: "task",
      task: { kind: "file.added" },
    });
    problemOf(await dryRun({ delivery: "0".repeat(32) }), "not_found");
  });

  it.each([[{}], [{ event: 1, body: "1" }]])(
    "HT3 accepts exactly one sample: %j is refused",
    async (sample) => {
      await register("files");
      expect(placesOf(await dryRun(sample))).toEqual(["event"]);
    },
  );
});

describe("recent deliveries", () => {
  it("WH14 are listed with their outcome, newest first, without those that had no valid signature", async () => {
    await register("files", { filters: [{ path: "$.type", matches: "file.*" }] });
    const first = await standard(EVENT, { id: "a" });
    const { body } = await deliver("files", first);
    await deliver("files", first);
    await deliver("files", await standard('{"type":"ping"}', { id: "b" }));
    await deliver("files", await standard('{"type":"file. no kind"}', { id: "c" }));
    problemOf(
      await deliver("files", withHeaders(first, { "webhook-signature": "v1,AAAA" })),
      "signature_invalid",
    );
    expect(
      (await kept()).map((each) => [each.delivery_id, each.outcome, each.task_id, each.replayable]),
    ).toEqual([
      ["c", "unmapped", null, true],
      ["b", "filtered", null, true],
      ["a", "duplicate", body.task_id, true],
      ["a", "task", body.task_id, true],
    ]);
    expect((await kept("?outcome=filtered")).map(({ delivery_id }) => delivery_id)).toEqual(["b"]);
    const { deliveries, next_cursor } = await page("?limit=3");
    expect(deliveries).toHaveLength(3);
    const last = await page(`?limit=3&cursor=${next_cursor}`);
    expect([last.deliveries.length, last.next_cursor]).toEqual([1, null]);
  });

  it("WH14 contain a delivery whose task was refused, and the sender can repeat it", async () => {
    await register("files");
    await call("POST", "/v1/tasks", { json: { kind: "x" } });
    await sql(
      `INSERT INTO tasks (id, kind, payload, state, source, requirements, priority, created_at, deadline_at, not_before,
         max_attempts, lease_ms, fence, tries, result)
       WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
       SELECT 'fill ' || i, 'x', 'null', 'queued', 'api', '{"capabilities":[]}', 0, 0, 9e15, 0, 1, 1, 0, 0, 'null' FROM n`,
    );
    await evictDurableObject(coordinatorStub()); // the queue is in memory
    problemOf(await deliver("files", await standard(EVENT)), "queue_full");
    const [refused] = await kept();
    expect(refused).toMatchObject({
      outcome: "refused",
      detail: expect.stringContaining("queue_full"),
    });
    await sql("DELETE FROM tasks WHERE id LIKE 'fill %'");
    await evictDurableObject(coordinatorStub());
    expect((await deliver("files", await standard(EVENT))).body.duplicate).toBe(false);
  });

  it("WH14 are limited in number, size and age, and are removed with their source", async () => {
    await register("files");
    for (let i = 0; i < WEBHOOK_DELIVERIES_PER_SOURCE_MAX + 3; i++)
      await deliver("files", await standard(EVENT, { id: `n${i}` }));
    const all = await kept("?limit=500");
    expect(all).toHaveLength(WEBHOOK_DELIVERIES_PER_SOURCE_MAX);
    expect(all.at(-1)?.delivery_id).toBe("n3");
    const large = "no JSON ".repeat(WEBHOOK_STORED_BODY_BYTES_MAX / 4);
    await deliver("files", await standard(large, { id: "large" }));
    const [newest] = await kept();
    expect(newest).toMatchObject({ delivery_id: "large", replayable: false, bytes: large.length });
    problemOf(await replay(newest?.id ?? ""), "conflict");
    await sql(
      "UPDATE webhook_deliveries SET received_at = ? WHERE delivery_id <> 'n9'",
      Date.now() - WEBHOOK_DELIVERY_RETENTION,
    );
    expect((await kept()).map(({ delivery_id }) => delivery_id)).toEqual(["n9"]);
    await call("DELETE", SOURCE);
    expect(await sql("SELECT * FROM webhook_deliveries")).toEqual([]);
  });

  it("WH16 are stored sealed, and open only for their source and signing key", async () => {
    await register("files");
    await register("other");
    await deliver("files", await standard('{"type":"a","secret":"do not show"}'));
    const [row] = await sql("SELECT sealed FROM webhook_deliveries");
    const sealed = row?.["sealed"] as string;
    for (const shown of [sealed, atob(sealed)]) expect(shown).not.toContain("do not show");
    await sql("UPDATE webhook_deliveries SET source = 'other'");
    const { body } = await call<Page>("GET", "/v1/webhook-sources/other/deliveries");
    const path = `/v1/webhook-sources/other/deliveries/${body.deliveries[0]?.id}/replay`;
    problemOf(await call("POST", path), "conflict");
  });

  it("WH14 are answered with not_found for an unknown source", async () => {
    problemOf(await call("GET", `${SOURCE}/deliveries`), "not_found");
    problemOf(await dryRun({ event: 1 }), "not_found");
    problemOf(await replay("0".repeat(32)), "not_found");
    await register("files");
    problemOf(await replay("0".repeat(32)), "not_found");
    expect(placesOf(await replay("nothing"))).toEqual(["id"]);
  });
});

describe("a replay", () => {
  it("WH15 processes a delivery by its source's current rules", async () => {
    await register("files", { filters: [{ path: "$.type", equals: "other" }] });
    await deliver("files", await standard(EVENT));
    const [left] = await kept();
    await register("files");
    const again = await replay(left?.id ?? "");
    expect(again).toMatchObject({ status: 202, body: { duplicate: false, filtered: null } });
    const task = await call<TaskView>("GET", `/v1/tasks/${again.body.task_id}`);
    expect(task.body).toMatchObject({ payload: JSON.parse(EVENT), source: "webhook:files" });
    // The sender's repetition finds the task that the replay created.
    const own = await deliver("files", await standard(EVENT));
    expect(own.body).toMatchObject({ task_id: again.body.task_id, duplicate: true });
    expect((await kept())[1]).toMatchObject({ outcome: "task", replay_of: left?.id });
  });

  it("WH15 creates a second task only with new_task=true, and only once per idempotency key", async () => {
    await register("files");
    const { body } = await deliver("files", await standard(EVENT));
    const [first] = await kept();
    const id = first?.id ?? "";
    expect((await replay(id)).body).toMatchObject({ task_id: body.task_id, duplicate: true });
    const headers = { "Idempotency-Key": "once" };
    const [one, same] = [
      await replay(id, "?new_task=true", headers),
      await replay(id, "?new_task=true", headers),
    ];
    expect(one.body).toMatchObject({ duplicate: false });
    expect(same.body).toMatchObject({ task_id: one.body.task_id, duplicate: true });
    const other = await replay(id, "?new_task=true");
    expect(new Set([body, one.body, other.body].map(({ task_id }) => task_id)).size).toBe(3);
  });

  it("WH15 is answered with event_unmapped if the delivery still does not fit", async () => {
    await register("files", { task: { kind: "$.kind" } });
    await deliver("files", await standard(EVENT));
    const [unmapped] = await kept();
    problemOf(await replay(unmapped?.id ?? ""), "event_unmapped");
    expect((await kept()).map(({ outcome }) => outcome)).toEqual(["unmapped", "unmapped"]);
  });
});
