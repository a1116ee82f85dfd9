import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { open, readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { BackupError } from "../../../src/backup/format.ts";
import { NO_TARGET, readBackupFile } from "../../../src/cli/backup/backup-file.ts";
import { importIntoMesh } from "../../../src/cli/backup/import-mesh.ts";
import { backUpFolder } from "../../../src/cli/backup/make-backup.ts";
import { restoreFolder } from "../../../src/cli/backup/restored-folder.ts";
import { stateFolder } from "../../../src/cli/state-folder.ts";
import { controller } from "../../../src/client/index.ts";
import { inTemporaryFolder, meshFolder, storeResult } from "./mesh-folder.ts";

const PASSPHRASE = { passphrase: "correct horse" };
const RESULT = "5e".repeat(16);
const GIGABYTE = 10 ** 9;

/** A folder with a mesh, and the lines of its backup, which is not sealed. */
async function backupLines(folder: string): Promise<{ dir: string; lines: readonly string[] }> {
  const dir = join(folder, "mesh");
  const mesh = await meshFolder(dir);
  await storeResult(mesh, RESULT);
  for (let n = 0; n < 3; n++) mesh.mesh.submit({ kind: "echo", payload: n });
  mesh.parts.results.close();
  const out = join(folder, "good.backup");
  await backUpFolder(dir, { out, sealTo: null, secrets: false });
  mesh.database.close();
  return { dir, lines: (await readFile(out, "utf8")).trimEnd().split("\n") };
}

/** The text of a backup with these lines whose hashes and counts are right: its author knows the format. */
function rebuilt(lines: readonly string[]): string {
  const body = lines.filter((line) => !/^\{"(?:end|sha256)"/.test(line));
  const end = JSON.parse(lines.find((line) => line.startsWith('{"end"')) ?? "") as {
    end: Record<string, unknown>;
  };
  const first = body.findIndex((line) => line.startsWith('{"table"'));
  const state = body.slice(first);
  const summary = {
    ...end.end,
    tables: state.filter((line) => line.startsWith("{")).length,
    rows: state.filter((line) => line.startsWith("[")).length,
    state_hash: sha256(`${state.join("\n")}\n`),
  };
  const text = `${[...body, JSON.stringify({ end: summary })].join("\n")}\n`;
  return `${text}${JSON.stringify({ sha256: sha256(text) })}\n`;
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

const tableAt = (lines: readonly string[], name: string): number =>
  lines.findIndex((line) => line.startsWith(`{"table":"${name}"`));

/** Changes of the lines by somebody who makes the hashes right again. */
const FORGED: Readonly<Record<string, (lines: readonly string[]) => readonly string[]>> = {
  "a row that is there twice": (lines) =>
    lines.toSpliced(tableAt(lines, "tasks") + 1, 0, lines[tableAt(lines, "tasks") + 1] ?? ""),
  "a table that is there twice": (lines) =>
    lines.toSpliced(tableAt(lines, "tasks"), 0, lines[tableAt(lines, "tasks")] ?? ""),
  "a table that is missing": (lines) => lines.toSpliced(tableAt(lines, "aliases"), 1),
  "tables in another order": (lines) => {
    const [from, to] = [tableAt(lines, "aliases"), tableAt(lines, "allowlist")];
    return lines.with(from, lines[to] ?? "").with(to, lines[from] ?? "");
  },
  "null where a value must be": (lines) => {
    const at = tableAt(lines, "tasks") + 1;
    const row = JSON.parse(lines[at] ?? "") as unknown[];
    return lines.with(at, JSON.stringify(row.map(() => null)));
  },
  "a text as a number of a row": (lines) => {
    const at = tableAt(lines, "tasks") + 1;
    const row = JSON.parse(lines[at] ?? "") as unknown[];
    return lines.with(at, JSON.stringify(row.map(() => "x")));
  },
  "a path as the name of a table": (lines) =>
    lines.with(tableAt(lines, "aliases"), '{"table":"../../etc/passwd","columns":["a"]}'),
  "a path as the ID of a result": (lines) =>
    lines.map((line) => line.replace(`{"result":"${RESULT}"`, '{"result":"../../secrets.env"')),
  "a result that announces 10 GB": (lines) =>
    lines.map((line) => line.replace(/"bytes":\d+\}/, `"bytes":${10 * GIGABYTE}}`)),
  "an unknown line": (lines) => lines.toSpliced(tableAt(lines, "tasks"), 0, '{"trigger":"x"}'),
};

async function expectRefused(folder: string, mesh: string, file: string): Promise<void> {
  const dir = join(folder, "restored");
  const secretsFile = stateFolder(mesh).secrets;
  const restored = restoreFolder({ file, dir, opener: PASSPHRASE, secretsFile });
  await expect(restored).rejects.toBeInstanceOf(BackupError);
  expect(existsSync(dir)).toBe(false);
  expect((await readdir(folder)).filter((name) => name.startsWith("restored"))).toEqual([]);
}

describe("a backup that somebody has made to do harm", () => {
  test.each(Object.entries(FORGED))("BK40 with %s is refused, and leaves nothing", (_, forge) =>
    inTemporaryFolder(async (folder) => {
      const { dir, lines } = await backupLines(folder);
      const file = join(folder, "forged.backup");
      await writeFile(file, rebuilt(lines));
      await readBackupFile(file, NO_TARGET, null); // with its hashes made anew it is whole
      await writeFile(file, rebuilt(forge(lines)));
      await expectRefused(folder, dir, file);
    }),
  );

  test("BK40 that goes on with gigabytes of zeros is refused at the first of them", () =>
    inTemporaryFolder(async (folder) => {
      const { dir, lines } = await backupLines(folder);
      const sealed = join(folder, "sealed.backup");
      await backUpFolder(dir, { out: sealed, sealTo: PASSPHRASE, secrets: true });
      const header = (await readFile(sealed)).subarray(0, (await readFile(sealed)).indexOf(10) + 1);
      const announced = `${lines[0]}\n{"result":"${RESULT}","bytes":25000000}\n`;
      for (const begin of ["", header, `${lines[0]}\n`, announced]) {
        const file = join(folder, "zeros.backup");
        await writeFile(file, begin);
        await truncate(file, 10 * GIGABYTE); // a sparse file
        await expectRefused(folder, dir, file);
      }
    }));

  test("BK40 nothing is sent of a sealed file with a flipped bit, wherever it is", () =>
    inTemporaryFolder(async (folder) => {
      const { dir } = await backupLines(folder);
      const file = join(folder, "sealed.backup");
      await backUpFolder(dir, { out: file, sealTo: PASSPHRASE, secrets: true });
      const whole = await readFile(file);
      const requests: string[] = [];
      const mesh = controller({
        url: "http://mesh.test",
        token: "t",
        fetch: (url) => {
          requests.push(url);
          return Promise.reject(new Error("no request is expected"));
        },
      });
      const header = whole.indexOf(10);
      for (const at of [
        header - 20,
        header + 1,
        header + 40,
        whole.length >> 1,
        whole.length - 1,
      ]) {
        const handle = await open(file, "r+");
        await handle.write(Buffer.from([(whole[at] ?? 0) ^ 4]), 0, 1, at);
        await handle.close();
        const options = { file, opener: PASSPHRASE, onPart: () => {} };
        await expect(importIntoMesh(mesh, options), `byte ${at}`).rejects.toBeInstanceOf(
          BackupError,
        );
        await writeFile(file, whole);
      }
      expect(requests).toEqual([]);
    }));
});
