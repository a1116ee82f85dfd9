import { describe, expect, test } from "vitest";
import { MINUTE } from "../../src/base/clock.ts";
import { stateOf } from "../../src/backup/write-backup.ts";
import { newHash } from "../../src/cli/backup/new-hash.ts";
import { tablePages } from "../../src/cli/backup/database-file.ts";
import type { BackupRow, BackupTable } from "../../src/registry/backup-tables.ts";
import { EXPORT_IDLE_MAX, EXPORT_TIME_MAX } from "../../src/registry/export-copy.ts";
import { KEYS, TestMesh } from "../coordinator/mesh.ts";

const [A, B] = KEYS;

const hashOf = async (mesh: TestMesh): Promise<string> =>
  (await stateOf(tablePages(mesh.sql), newHash)).state_hash;

const copies = (mesh: TestMesh) =>
  mesh.rows(`SELECT name FROM sqlite_master WHERE name LIKE 'export_%'`);

/** Every page of an export; `between` runs before each. */
function* pagesOf(
  mesh: TestMesh,
  exportId: string,
  tables: readonly BackupTable[],
  between: () => void = () => {},
) {
  for (const { name: table, columns } of tables) {
    let after: BackupRow | null = null;
    do {
      between();
      const page: { rows: readonly BackupRow[]; next: BackupRow | null } = mesh.run("read_export", {
        exportId,
        table,
        after,
      });
      yield { table, columns, rows: page.rows };
      after = page.next;
    } while (after !== null);
  }
}

describe("an export", () => {
  test("BK10 shows the state in which it began, whatever the mesh does meanwhile", async () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    for (let n = 0; n < 30; n++) mesh.submit({ kind: "echo", payload: "x".repeat(100_000) });
    mesh.registry.measurements.flush();
    const before = await hashOf(mesh);
    const { exportId, tables } = mesh.run("begin_export", {});
    peer.accept();
    mesh.join(B);
    const work = () => {
      mesh.submit({ kind: "echo", payload: "y".repeat(50_000) });
      mesh.runFor(1_000);
    };
    const { state_hash } = await stateOf(pagesOf(mesh, exportId, tables, work), newHash);
    expect(state_hash).toBe(before);
    expect(await hashOf(mesh)).not.toBe(before);
    mesh.run("end_export", { exportId });
    expect(copies(mesh)).toEqual([]);
  });

  test("BK10 there is one at a time: it ends when it was read, was not read for a while, takes too long, or the object wakes", () => {
    const mesh = new TestMesh();
    const begin = () => mesh.run("begin_export", {}).exportId;
    const first = begin();
    expect(mesh.errorOf("begin_export", {})).toMatchObject({ code: "conflict" });
    mesh.run("end_export", { exportId: "of another" });
    expect(copies(mesh)).not.toEqual([]);
    mesh.run("end_export", { exportId: first });
    const second = begin();
    mesh.runFor(EXPORT_IDLE_MAX);
    expect(copies(mesh)).toEqual([]);
    expect(
      mesh.errorOf("read_export", { exportId: second, table: "peers", after: null }).code,
    ).toBe("not_found");
    const third = begin();
    for (let at = 0; at < EXPORT_TIME_MAX - MINUTE; at += 5 * MINUTE) {
      mesh.run("read_export", { exportId: third, table: "peers", after: null });
      mesh.runFor(5 * MINUTE);
    }
    expect(mesh.errorOf("read_export", { exportId: third, table: "peers", after: null }).code).toBe(
      "not_found",
    );
    begin();
    mesh.restart();
    expect(copies(mesh)).toEqual([]);
    begin();
  });

  test("BK10 its copy does not count as used storage, and is refused where there is no room for it", () => {
    const mesh = new TestMesh();
    for (let n = 0; n < 30; n++) mesh.submit({ kind: "echo", payload: "x".repeat(100_000) });
    const used = mesh.registry.size();
    const { exportId } = mesh.run("begin_export", {});
    expect(Math.abs(mesh.registry.size() - used)).toBeLessThan(200_000);
    mesh.run("end_export", { exportId });
    const full = new TestMesh({
      sql: mesh.sql,
      config: { storage: { limit: 2 * used, payloadRetention: MINUTE } },
    });
    expect(full.errorOf("begin_export", {}).code).toBe("storage_full");
  });

  test("BK10 no page has more than a megabyte, unless one row does", () => {
    const mesh = new TestMesh();
    for (let n = 0; n < 40; n++) mesh.submit({ kind: "echo", payload: "x".repeat(n * 6_000) });
    const { exportId, tables } = mesh.run("begin_export", {});
    let rows = 0;
    for (const page of pagesOf(mesh, exportId, tables)) {
      if (page.table === "tasks") rows += page.rows.length;
      if (page.rows.length > 1) expect(JSON.stringify(page.rows).length).toBeLessThan(1_048_576);
    }
    expect(rows).toBe(40);
  });

  test("BK11 results in the store are kept while an export may name them", () => {
    const mesh = new TestMesh();
    const blobId = "5e".repeat(16);
    const deletedAt = (): number | null =>
      mesh.registry.outbox.dueAt({ kind: "delete_result", blobId });
    const begunAt = mesh.now;
    mesh.run("begin_export", {});
    mesh.registry.resultUploads.insert({
      taskId: "t",
      blobId,
      begunAt: begunAt - 2 * EXPORT_TIME_MAX,
    });
    mesh.tick();
    expect(deletedAt()).toBe(begunAt + EXPORT_TIME_MAX);
  });
});
