import { describe, expect, test } from "vitest";
import { HOUR, MINUTE } from "../../../src/base/clock.ts";
import { commitImport } from "../../../src/coordinator/storage/commit-import.ts";
import { backupTables } from "../../../src/registry/backup-tables.ts";
import { migrate, schemaVersionOf } from "../../../src/registry/migrate.ts";
import { tablePages } from "../../../src/cli/backup/database-file.ts";
import { oldDatabase, rowCounts } from "../../backup/old-database.ts";
import { must, mustFail } from "../../must.ts";
import { TestMesh } from "../mesh.ts";

const HEADER = JSON.stringify({ state_hash: "ab".repeat(32) });

const begin = (mesh: TestMesh, schema = 1) =>
  mesh.run("begin_import", { schema, muster: "0.1.0", header: HEADER });

/** A part without rows of a table that every version has. */
const part = (mesh: TestMesh, id: string, number: number) =>
  mesh.run("put_import_part", {
    id,
    part: number,
    digest: String(number),
    content: { table: "denylist", columns: columnsOf(mesh), rows: "[]" },
  });

const columnsOf = ({ registry }: TestMesh): readonly string[] =>
  registry.importCopy.tables().find(({ name }) => name === "denylist")?.columns ?? [];

describe("an import that is not committed", () => {
  test("BK37 ends an hour after its last part, and the mesh takes commands again", () => {
    const mesh = new TestMesh();
    const { id } = begin(mesh);
    mesh.runFor(59 * MINUTE);
    part(mesh, id, 1);
    mesh.runFor(59 * MINUTE);
    expect(must(mesh.read("get_import", { id }))).toMatchObject({ state: "open", parts: 1 });
    expect(mesh.errorOf("create_token", { label: "", scope: "viewer" })).toMatchObject({
      code: "unavailable",
      detail: expect.stringContaining(`import ${id}`),
    });
    mesh.runFor(MINUTE);
    expect(mustFail(mesh.read("get_import", { id })).code).toBe("not_found");
    mesh.run("create_token", { label: "", scope: "viewer" });
    const left = mesh.rows("SELECT name FROM sqlite_master WHERE name LIKE 'import_%'");
    expect(left).toEqual([]);
  });

  test("BK37 ends after a day, however often a part arrives", () => {
    const mesh = new TestMesh();
    const { id } = begin(mesh);
    for (let hour = 1; hour < 24 * 2; hour++) {
      mesh.runFor(HOUR / 2);
      part(mesh, id, hour);
    }
    mesh.runFor(HOUR / 2 - 1);
    expect(must(mesh.read("get_import", { id }))).toMatchObject({ state: "open", parts: 47 });
    mesh.runFor(1);
    expect(mustFail(mesh.read("get_import", { id })).code).toBe("not_found");
    expect(
      mesh.errorOf("put_import_part", {
        id,
        part: 48,
        digest: "48",
        content: { result: "ab".repeat(16) },
      }).code,
    ).toBe("not_found");
  });
});

describe("the commit of an import", () => {
  test.each([1, 2, 15, 30, 43])(
    "BK38 of schema version %i leaves its rows in a database of that version, which then migrates",
    (version) => {
      const old = oldDatabase(version);
      const mesh = new TestMesh();
      const { id } = begin(mesh, version);
      let parts = 0;
      for (const { table, columns, rows } of tablePages(old))
        mesh.run("put_import_part", {
          id,
          part: ++parts,
          digest: String(parts),
          content: { table, columns, rows: JSON.stringify(rows) },
        });
      must(commitImport(mesh.registry.importCopy, id, parts));
      expect(schemaVersionOf(mesh.sql)).toBe(version);
      const { settings, ...rest } = rowCounts(mesh.sql);
      const { settings: before, ...others } = rowCounts(old);
      expect(rest).toEqual(others);
      expect(settings).toBe((before ?? 0) + 1); // the mark of the restore
      migrate(mesh.sql);
      expect(backupTables(mesh.sql).map(({ name }) => name)).toEqual(
        backupTables(new TestMesh().sql).map(({ name }) => name),
      );
    },
  );
});
