import { abortAllDurableObjects, reset } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { toBase64, utf8, type Bytes } from "../../src/base/bytes.ts";
import type { Manifest } from "../../src/backup/format.ts";
import { PartCutter } from "../../src/backup/import-part.ts";
import { readBackup } from "../../src/backup/read-backup.ts";
import { sha256 } from "../../src/crypto/primitives.ts";
import type { ImportView } from "../../src/protocol/http.ts";
import { nativeHash } from "../../workers/native-hash.ts";
import { api, rows, submitTask, TOKEN, until } from "../durable/api.ts";

afterEach(() => reset());

const BLOB = "5e".repeat(16);
const KEY = "2b".repeat(32);
const REVOKED = "1f".repeat(32);

interface Backup {
  readonly begin: Readonly<Record<string, unknown>>;
  readonly parts: readonly Bytes[];
}

/** The export of the mesh in parts. */
async function exportParts(): Promise<Backup> {
  const response = await exports.default.fetch("http://mesh.test/v1/export", {
    headers: { Authorization: `Bearer ${TOKEN}` },
  });
  const parts: Bytes[] = [];
  const cutter = new PartCutter((part) => void parts.push(part));
  const found: { manifest?: Manifest } = {};
  const { summary } = await readBackup(
    response.body as ReadableStream<Uint8Array>,
    {
      manifest: (manifest) => void (found.manifest = manifest),
      result: (id, content) => cutter.result(id, content),
      cell: () => cutter.cell(),
      table: (name, columns) => cutter.table(name, columns),
      rows: (each, lines) => cutter.rows(each, lines),
    },
    nativeHash,
  );
  await cutter.end();
  const { secrets: _, ...manifest } = found.manifest as Manifest;
  const { missing_results: _missing, ...stated } = summary;
  return { begin: { ...manifest, ...stated }, parts };
}

/** A backup of a used mesh: a revoked key, a listed one, tasks, a token, a large result. The mesh is empty afterwards. */
async function madeBackup(): Promise<Backup & { readonly task: string }> {
  await api("PUT", `/v1/allowlist/${KEY}`, { label: "the lab" });
  expect((await api("POST", `/v1/peers/${REVOKED}/revoke`)).status).toBeLessThan(300);
  await api("POST", "/v1/tokens", { label: "ci", scope: "viewer" });
  const { id } = await submitTask("echo", "x".repeat(1_000));
  for (let n = 0; n < 30; n++) await submitTask("echo", "y".repeat(100_000));
  await rows(
    `INSERT INTO task_results (task_id, sealed, blob_id, bytes) VALUES (?, 0, ?, 7)`,
    id,
    BLOB,
  );
  await env.BLOBS.put(`result:${BLOB}`, utf8('"large"'));
  const backup = await exportParts();
  await reset();
  return { ...backup, task: id };
}

const begin = (body: unknown, token = TOKEN) =>
  api<ImportView & { detail: string }>("POST", "/v1/imports", body, {
    Authorization: `Bearer ${token}`,
  });

async function put(
  id: string,
  part: number | string,
  bytes: Bytes,
  digest = `sha-256=:${toBase64(sha256(bytes))}:`,
) {
  const response = await exports.default.fetch(`http://mesh.test/v1/imports/${id}/parts/${part}`, {
    method: "PUT",
    headers: {
      Authorization: `Bearer ${TOKEN}`,
      "Content-Type": "application/octet-stream",
      "Content-Digest": digest,
    },
    body: bytes,
  });
  return {
    status: response.status,
    body: await response.json<{ detail: string; parts: number }>(),
  };
}

const commit = (id: string, parts: number) =>
  api<ImportView & { detail: string }>("POST", `/v1/imports/${id}/commit`, { parts });

async function importAll({ begin: stated, parts }: Backup): Promise<string> {
  const { id } = (await begin(stated)).body;
  for (const [index, part] of parts.entries())
    expect(await put(id, index + 1, part)).toMatchObject({ status: 200 });
  expect(await commit(id, parts.length)).toMatchObject({
    status: 200,
    body: { id, state: "committed", state_hash: stated["state_hash"] },
  });
  return id;
}

describe("an import", () => {
  it("BK29 gives an empty mesh the rows, results and refusals of the backup; the mesh jumps ahead and goes on", async () => {
    const backup = await madeBackup();
    expect(backup.parts.length).toBeGreaterThan(3);
    const id = await importAll(backup);
    expect((await api("GET", "/v1/tasks")).body["tasks"]).not.toHaveLength(0);
    expect(await rows("SELECT COUNT(*) AS n FROM tasks")).toEqual([{ n: 31 }]);
    expect(await rows("SELECT act FROM audit WHERE act = 'restore'")).toHaveLength(1);
    const [task] = await rows(`SELECT last_fence FROM tasks WHERE id = '${backup.task}'`);
    expect(Number(task?.["last_fence"])).toBeGreaterThan(1_600_000_000_000);
    expect((await api("GET", "/v1/denylist")).body["entries"]).toHaveLength(1);
    expect(await env.BLOBS.get(`result:${BLOB}`, "text")).toBe('"large"');
    await submitTask("echo", "the mesh goes on");
    // A commit whose answer was lost, and a client that begins again.
    expect(await commit(id, backup.parts.length)).toMatchObject({ body: { state: "committed" } });
    expect(await begin(backup.begin)).toMatchObject({ body: { state: "committed" } });
    const left = await rows(`SELECT name FROM sqlite_master WHERE name LIKE 'import_of_%'`);
    expect(left).toEqual([]);
  });

  it("BK27 until its end the mesh refuses every other change and shows nothing of it, and it can be ended", async () => {
    const backup = await madeBackup();
    const { id } = (await begin(backup.begin)).body;
    for (const [index, part] of backup.parts.entries()) await put(id, index + 1, part);
    const refused = await api<{ code: string; detail: string }>("POST", "/v1/tasks", { kind: "a" });
    expect(refused).toMatchObject({ status: 503, body: { code: "unavailable" } });
    expect(refused.body.detail).toContain(`import ${id}`);
    expect((await api("PUT", `/v1/allowlist/${KEY}`, { label: "a" })).status).toBe(503);
    expect((await api("POST", "/v1/tokens", { label: "a", scope: "viewer" })).status).toBe(503);
    expect((await api("GET", "/v1/tasks")).body["tasks"]).toEqual([]);
    expect((await api("DELETE", `/v1/imports/${id}`)).status).toBe(204);
    expect((await api("GET", `/v1/imports/${id}`)).status).toBe(404);
    expect((await api("POST", "/v1/tasks", { kind: "a" })).status).toBe(202);
    await until(
      async () => await env.BLOBS.get(`result:${BLOB}`),
      (left) => left === null,
    );
  });

  it("BK28 goes on where it was after a restart of the mesh, and takes a part again that it has", async () => {
    const { begin: stated, parts } = await madeBackup();
    const { id } = (await begin(stated)).body;
    await put(id, 1, parts[0] as Bytes);
    await abortAllDurableObjects();
    expect(await put(id, 1, parts[0] as Bytes)).toMatchObject({ status: 200, body: { parts: 1 } });
    expect(await begin(stated)).toMatchObject({ status: 200, body: { id, parts: 1 } });
    for (const [index, part] of parts.entries()) await put(id, index + 1, part);
    await abortAllDurableObjects();
    expect(await commit(id, parts.length)).toMatchObject({ status: 200 });
  });

  it("BK28 refuses parts out of order, other bytes under a number that it has, wrong digests, and a commit of fewer parts", async () => {
    const { begin: stated, parts } = await madeBackup();
    const [first, second] = parts as [Bytes, Bytes];
    const { id } = (await begin(stated)).body;
    expect(await put(id, 2, second)).toMatchObject({ status: 409 });
    expect(await put(id, 1, first, "sha-256=:AAAA:")).toMatchObject({ status: 400 });
    expect(await put(id, 1, first, "")).toMatchObject({ status: 400 });
    for (const part of ["0", "-1", "1.5", "x"])
      expect((await put(id, part, first)).status).toBeGreaterThanOrEqual(400);
    expect(await put("0".repeat(32), 1, first)).toMatchObject({ status: 404 });
    expect(await put(id, 1, first)).toMatchObject({ status: 200 });
    expect(await put(id, 1, second)).toMatchObject({ status: 409 });
    expect((await commit(id, 2)).status).toBe(409);
    // Truncated: what has arrived is not what the backup states.
    expect(await commit(id, 1)).toMatchObject({ status: 400 });
    expect(await rows("SELECT * FROM tasks")).toEqual([]);
  });

  it("BK30 takes rows for tables and columns of the schema only, and no text of the file becomes SQL", async () => {
    const { begin: stated } = await madeBackup();
    const { id } = (await begin(stated)).body;
    const settings = `{"table":"settings","columns":["key","value"]}\n`;
    for (const part of [
      "",
      "garbage",
      `{"table":"stranger","columns":["a"]}\n[1]\n`,
      `{"table":"sqlite_master","columns":["name"]}\n["x"]\n`,
      `{"table":"schema_version","columns":["version"]}\n[99]\n`,
      `{"table":"import_state","columns":["id"]}\n["x"]\n`,
      `{"table":"settings; DROP TABLE peers","columns":["key","value"]}\n["a","b"]\n`,
      `{"table":"settings","columns":["key","value","more"]}\n["a","b","c"]\n`,
      `{"table":"settings","columns":["value","key"]}\n["a","b"]\n`,
      `${settings}["a"]\n`,
      `${settings}["a",{"b":1}]\n`,
      `${settings}["a","b"]\n["a","b"]\n`,
      `${settings}["a","b"]`,
      `${settings}DELETE FROM peers\n`,
      `{"result":"${BLOB}","bytes":5}\nab`,
      `{"result":"../x","bytes":1}\na`,
    ])
      expect([part, (await put(id, 1, utf8(part))).status]).toEqual([part, 400]);
    expect((await put(id, 1, new Uint8Array(27 * 1_024 * 1_024))).status).toBe(413);
    expect((await api("GET", `/v1/imports/${id}`)).body["parts"]).toBe(0);
    expect(await put(id, 1, utf8(`${settings}["'); DROP TABLE peers; --","b"]\n`))).toMatchObject({
      status: 200,
    });
    // Rows that the backup does not have.
    expect(await commit(id, 1)).toMatchObject({ status: 400 });
  });

  it("BK31 begins on an empty mesh only, with its key, one at a time, and of no newer version; each refusal says which", async () => {
    const { begin: stated } = await madeBackup();
    const schema = Number(stated["schema"]);
    for (const [body, status, detail] of [
      [{ ...stated, mesh_key: "77".repeat(32) }, 409, "another mesh"],
      [{ ...stated, schema: schema + 1 }, 400, `up to ${schema}`],
      [{ ...stated, muster_backup: 3 }, 400, "format 3"],
      [{ ...stated, muster_backup: 2 }, 400, "several cells"],
    ] as const) {
      const refused = await begin(body);
      expect([refused.status, refused.body.detail]).toEqual([
        status,
        expect.stringContaining(detail),
      ]);
    }
    expect((await begin({ ...stated, more: 1 })).status).toBe(400);
    const { id } = (await begin(stated)).body;
    const second = await begin({ ...stated, rows: 1 });
    expect(second).toMatchObject({ status: 409 });
    expect(second.body.detail).toContain(id);
    await api("DELETE", `/v1/imports/${id}`);
    await submitTask("echo", null);
    const used = await begin(stated);
    expect(used).toMatchObject({ status: 409 });
    expect(used.body.detail).toContain("not empty");
  });

  it("BK31 needs the admin scope, and its begin is in the audit log", async () => {
    const { begin: stated } = await madeBackup();
    expect((await begin(stated, "wrong")).status).toBe(401);
    const { token } = (
      await api<{ token: string }>("POST", "/v1/tokens", {
        label: "a",
        scope: "controller",
      })
    ).body;
    expect((await begin(stated, token)).status).toBe(403);
    await reset();
    await begin(stated);
    expect(await rows("SELECT outcome FROM audit WHERE act = 'begin_import'")).toEqual([
      { outcome: "ok" },
    ]);
  });
});
