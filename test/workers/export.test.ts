import { reset, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { utf8 } from "../../src/base/bytes.ts";
import { readBackup } from "../../src/backup/read-backup.ts";
import type { BackupRow } from "../../src/registry/backup-tables.ts";
import { SCHEMA_VERSION } from "../../src/registry/migrate.ts";
import { nativeHash } from "../../workers/native-hash.ts";
import { api, coordinatorStub, rows, submitTask, TOKEN, until } from "../durable/api.ts";

afterEach(() => reset());

const BLOB = "5e".repeat(16);

async function readExport(stream: ReadableStream<Uint8Array>) {
  const tables = new Map<string, { columns: readonly string[]; rows: BackupRow[] }>();
  const results = new Map<string, string>();
  let current: BackupRow[] = [];
  const read = await readBackup(
    stream,
    {
      manifest: () => {},
      cell: () => expect.unreachable("a further cell"),
      async result(id, content) {
        const parts: number[] = [];
        for await (const part of content) parts.push(...part);
        results.set(id, new TextDecoder().decode(Uint8Array.from(parts)));
      },
      table(name, columns) {
        current = [];
        tables.set(name, { columns, rows: current });
      },
      rows: (more) => void current.push(...more),
    },
    nativeHash,
  );
  return { ...read, tables, results };
}

const exported = async (token = TOKEN): Promise<Response> =>
  exports.default.fetch("http://mesh.test/v1/export", {
    headers: { Authorization: `Bearer ${token}` },
  });

const copies = () => rows(`SELECT name FROM sqlite_master WHERE name LIKE 'export_%'`);

/** A task whose result is in the store. */
async function storeResult(blobId: string, content: string | null): Promise<void> {
  const { id } = await submitTask("echo", null);
  await rows(
    `INSERT INTO task_results (task_id, sealed, blob_id, bytes) VALUES (?, 0, ?, 1)`,
    id,
    blobId,
  );
  if (content !== null) await env.BLOBS.put(`result:${blobId}`, utf8(content));
}

describe("GET /v1/export", () => {
  it("BK10 streams a whole backup of the running mesh with its results, and leaves no copy behind", async () => {
    await storeResult(BLOB, '"large"');
    for (let n = 0; n < 20; n++) await submitTask("echo", "x".repeat(100_000));
    const response = await exported();
    expect(response.status).toBe(200);
    const { manifest, summary, tables, results } = await readExport(
      response.body as ReadableStream<Uint8Array>,
    );
    expect(manifest).toMatchObject({
      schema: SCHEMA_VERSION,
      secrets: null,
      mesh_key: (await api("GET", "/v1/mesh")).body["public_key"],
    });
    expect(summary).toMatchObject({ results: 1, missing_results: 0 });
    expect(tables.get("tasks")?.rows).toHaveLength(21);
    expect(results).toEqual(new Map([[BLOB, '"large"']]));
    await until(copies, (left) => left.length === 0);
  });

  it("BK10 says how many results are missing", async () => {
    await storeResult("c0".repeat(16), null);
    const { summary } = await readExport((await exported()).body as ReadableStream<Uint8Array>);
    expect(summary).toMatchObject({ results: 0, missing_results: 1 });
  });

  it("BK12 has no secret of the mesh, and neither tokens nor join keys", async () => {
    const { token } = (
      await api<{ token: string }>("POST", "/v1/tokens", { label: "ci", scope: "viewer" })
    ).body;
    const bytes = await (await exported()).arrayBuffer();
    const text = new TextDecoder().decode(bytes);
    for (const secret of [TOKEN, token, "11".repeat(32), "22".repeat(32), "33".repeat(32)])
      expect(text).not.toContain(secret);
  });

  it("BK12 needs the admin scope, and is in the audit log", async () => {
    for (const scope of ["viewer", "controller"] as const) {
      const made = await api<{ token: string }>("POST", "/v1/tokens", { label: scope, scope });
      expect((await exported(made.body.token)).status).toBe(403);
    }
    expect((await exported("wrong")).status).toBe(401);
    expect(await rows(`SELECT act FROM audit WHERE act = 'begin_export'`)).toEqual([]);
    await (await exported()).arrayBuffer();
    expect(await rows(`SELECT actor, outcome FROM audit WHERE act = 'begin_export'`)).toEqual([
      { actor: "admin", outcome: "ok" },
    ]);
  });

  it("BK10 an export that its reader gives up ends, and until then there is no other", async () => {
    for (let n = 0; n < 5; n++) await submitTask("echo", "x".repeat(200_000));
    const first = await exported();
    const reader = (first.body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    expect((await exported()).status).toBe(409);
    await reader.cancel();
    await until(copies, (left) => left.length === 0);
    const again = await exported();
    expect(again.status).toBe(200);
    await again.arrayBuffer();
  });

  it("BK10 workerd lets an object copy its tables, and counts their pages", async () => {
    await api("GET", "/v1/mesh/storage");
    await runInDurableObject(coordinatorStub(), (_, { storage }) => {
      const before = storage.sql.databaseSize;
      storage.sql.exec(
        `INSERT INTO settings (key, value) VALUES ('large', ?)`,
        "x".repeat(500_000),
      );
      storage.sql.exec(
        `CREATE TABLE export_settings AS SELECT key, value FROM settings ORDER BY key`,
      );
      expect(storage.sql.databaseSize - before).toBeGreaterThan(1_000_000);
      storage.sql.exec(`DROP TABLE export_settings`);
      expect(storage.sql.databaseSize - before).toBeLessThan(600_000);
    });
  });
});
