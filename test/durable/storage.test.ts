import { reset, runInDurableObject } from "cloudflare:test";
import { afterEach, expect, it, vi } from "vitest";
import type { TaskOffer } from "../../src/protocol/messages.ts";
import { api, coordinatorStub, rows, until } from "./api.ts";
import { interceptCommand } from "./faults.ts";
import { NoisePeer } from "./noise-peer.ts";

afterEach(async () => {
  vi.restoreAllMocks();
  await reset();
});

const LARGE = "x".repeat(260_000);

it("SB1 the size that workerd reports falls when rows are deleted, inside the transaction, and the pages are used again", async () => {
  await api("GET", "/v1/mesh/storage");
  await runInDurableObject(coordinatorStub(), (_, { storage }) => {
    const { sql } = storage;
    const write = () => {
      for (let n = 0; n < 20; n++)
        sql.exec(`INSERT INTO settings (key, value) VALUES (?, ?)`, `large ${n}`, LARGE);
    };
    const empty = sql.databaseSize;
    write();
    const full = sql.databaseSize;
    expect(full - empty).toBeGreaterThan(5_000_000);
    storage.transactionSync(() => {
      sql.exec(`DELETE FROM settings WHERE key LIKE 'large%'`);
      expect(sql.databaseSize - empty).toBeLessThan(100_000);
    });
    write();
    expect(Math.abs(sql.databaseSize - full)).toBeLessThan(100_000);
  });
});

it("SB14 the use of storage is shown to admins, with the owners of what has not ended", async () => {
  await api("POST", "/v1/tasks", { kind: "echo", payload: LARGE });
  const { status, body } = await api("GET", "/v1/mesh/storage");
  expect(status).toBe(200);
  expect(body).toMatchObject({
    used_bytes: expect.any(Number),
    limit_bytes: 10_000_000_000,
    state: "ok",
    payload_retention_hours: 24,
    owners: [{ owner: "admin", max_bytes: null }],
  });
  expect(Number(body["used_bytes"])).toBeGreaterThan(260_000);
});

/** Makes every statement that begins so fail as in a full database. */
async function fillDatabase(statement: string): Promise<void> {
  await runInDurableObject(coordinatorStub(), (_, { storage }) => {
    const sql = Object.getPrototypeOf(storage.sql) as SqlStorage;
    const exec = Reflect.get(sql, "exec");
    vi.spyOn(sql, "exec").mockImplementation(function (this: SqlStorage, query, ...bindings) {
      if (query.startsWith(statement)) throw new Error("database or disk is full: SQLITE_FULL");
      return exec.call(this, query, ...bindings);
    });
  });
}

it("SB13 a database without room refuses a task with 507 and a time to retry, and other commands go on", async () => {
  const before = await api("POST", "/v1/tasks", { kind: "echo" });
  await fillDatabase("INSERT INTO tasks");
  const refused = await api("POST", "/v1/tasks", { kind: "echo" });
  expect(refused).toMatchObject({
    status: 507,
    body: { code: "storage_full", retry_after: expect.any(Number) },
  });
  const id = String(before.body["id"]);
  const cancelled = await api("DELETE", `/v1/tasks/${id}`);
  expect(cancelled).toMatchObject({ status: 200, body: { state: "cancelled" } });
  vi.restoreAllMocks();
  expect(await api("POST", "/v1/tasks", { kind: "echo" })).toMatchObject({ status: 202 });
  expect(await api("GET", "/v1/tasks/stats")).toMatchObject({ body: { waiting: 1 } });
});

/** Makes the database look as full as this share of its limit. */
async function pretendFull(share: number): Promise<void> {
  await runInDurableObject(coordinatorStub(), (_, { storage }) => {
    const sql = Object.getPrototypeOf(storage.sql) as SqlStorage;
    vi.spyOn(sql, "databaseSize", "get").mockReturnValue(share * 10_000_000_000);
  });
}

it("SB10 over HTTP a nearly full database answers 507, and SB11 revoking a token still works", async () => {
  const token = await api("POST", "/v1/tokens", { label: "ci", scope: "controller" });
  await pretendFull(0.95);
  expect(await api("POST", "/v1/tasks", { kind: "echo" })).toMatchObject({
    status: 507,
    body: { code: "storage_full" },
  });
  expect(await api("GET", "/v1/mesh/storage")).toMatchObject({ body: { state: "full" } });
  expect(await api("DELETE", `/v1/tokens/${String(token.body["id"])}`)).toMatchObject({
    status: 204,
  });
});

const FULL = () => Promise.reject(new Error("database or disk is full: SQLITE_FULL"));

it("SV22 a commit that finds no room refuses a request with 507, and the reads that it ended are repeated and answered", async () => {
  interceptCommand("submit_task", FULL);
  const refused = await api("POST", "/v1/tasks", { kind: "echo" });
  expect(refused).toMatchObject({ status: 507, body: { code: "storage_full" } });
  expect(refused.body["detail"]).toContain("the disk of the mesh is full");
  vi.restoreAllMocks();
  let fails = 3;
  interceptCommand("get_auth_mode", (run) => (fails-- > 0 ? FULL() : run()));
  expect(await api("GET", "/v1/auth-mode")).toMatchObject({ status: 200 });
  expect(fails).toBe(-1);
});

it("SV57 a read whose object can't be opened without room gets 507 that says so, and the mesh is not ready", async () => {
  interceptCommand("list_peers", FULL);
  expect(await api("GET", "/v1/peers")).toMatchObject({
    status: 507,
    body: { code: "storage_full", detail: expect.stringContaining("can't be opened without room") },
  });
  interceptCommand("check_ready", FULL);
  expect(await api("GET", "/readyz")).toMatchObject({
    status: 503,
    body: { code: "unavailable", detail: expect.stringContaining("the disk of the mesh is full") },
  });
});

it.each([
  ["at the statement", () => fillDatabase("UPDATE tasks")],
  ["at the commit", async () => interceptCommand("finish_task", FULL)],
])(
  "SV25 a peer whose result finds no room %s is told that the mesh is unavailable, so that it sends the result again",
  async (_, fill) => {
    const peer = await NoisePeer.join();
    await api("POST", "/v1/tasks", { kind: "echo" });
    const { task_id, fence } = (await peer.readType("task_offer")).payload as unknown as TaskOffer;
    peer.send("task_accept", { task_id, fence });
    const report = () => peer.send("task_result", { task_id, fence, ok: true, result: 1 });
    await until(
      () => rows("SELECT state FROM tasks"),
      ([task]) => task?.["state"] === "running",
    );
    await fill();
    const refused = report();
    const { payload, replyTo } = await peer.readType("error");
    expect([payload, replyTo]).toMatchObject([{ details: "unavailable" }, refused.id]);
    vi.restoreAllMocks();
    report();
    const confirming = peer.send("ping", { sentAt: 1, confirm: true });
    expect((await peer.readType("pong")).replyTo).toBe(confirming.id);
    expect(await rows("SELECT state FROM tasks")).toEqual([{ state: "succeeded" }]);
  },
);
