import { reset, runInDurableObject } from "cloudflare:test";
import { afterEach, expect, it, vi } from "vitest";
import { api, coordinatorStub } from "./api.ts";

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

/** Makes every INSERT into a table fail as a full database does. */
async function fillDatabase(table: string): Promise<void> {
  await runInDurableObject(coordinatorStub(), (_, { storage }) => {
    const sql = Object.getPrototypeOf(storage.sql) as SqlStorage;
    const exec = Reflect.get(sql, "exec");
    vi.spyOn(sql, "exec").mockImplementation(function (this: SqlStorage, query, ...bindings) {
      if (query.startsWith(`INSERT INTO ${table}`))
        throw new Error("database or disk is full: SQLITE_FULL");
      return exec.call(this, query, ...bindings);
    });
  });
}

it("SB13 a database without room refuses a task with 507 and a time to retry, and other commands go on", async () => {
  const before = await api("POST", "/v1/tasks", { kind: "echo" });
  await fillDatabase("tasks");
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
