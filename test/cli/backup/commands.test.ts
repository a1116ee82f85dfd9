import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { backUpFolder } from "../../../src/cli/backup/make-backup.ts";
import { stateFolder } from "../../../src/cli/state-folder.ts";
import { muster } from "../command-run.ts";
import { inTemporaryFolder, meshFolder } from "./mesh-folder.ts";

async function backedUp(folder: string): Promise<{ dir: string; file: string }> {
  const { dir, database } = await meshFolder(join(folder, "mesh"));
  const file = join(folder, "a.backup");
  await backUpFolder(dir, { out: file, sealTo: null, secrets: true });
  database.close();
  return { dir, file };
}

test("BK32 a backup that is not sealed does not verify with a passphrase or a key, and does without", () =>
  inTemporaryFolder(async (folder) => {
    const { file } = await backedUp(folder);
    const passphrase = join(folder, "pass");
    await writeFile(passphrase, "correct horse", { mode: 0o600 });
    const keyFile = join(folder, "key.json");
    await muster("keygen", "--out", keyFile);
    for (const opener of [
      ["--passphrase-file", passphrase],
      ["--key-file", keyFile],
    ]) {
      const { code, out, err } = await muster("backup", "--verify", file, ...opener);
      expect([opener[0], code, out]).toEqual([opener[0], 1, ""]);
      expect(err).toContain("not sealed");
    }
    expect((await muster("backup", "--verify", file)).code).toBe(0);
  }));

test("BK33 a restore says as of when the mesh is, and what to check that was changed since", () =>
  inTemporaryFolder(async (folder) => {
    const { dir, file } = await backedUp(folder);
    const to = join(folder, "to");
    const { secrets } = stateFolder(dir);
    const { code, err } = await muster("restore", file, "--dir", to, "--secrets-file", secrets);
    expect(code).toBe(0);
    const at = /as it was at (\S+);/.exec(err)?.[1] ?? "";
    expect(Date.now() - Date.parse(at)).toBeLessThan(600_000);
    for (const what of ["peers", "API tokens", "join keys", "callback secrets", "webhook sources"])
      expect(err).toContain(what);
  }));

test.each([
  ["--dir", "x"],
  ["--secrets-file", "x"],
])("BK26 a restore over HTTP takes no %s", async (...option) => {
  const { code, err } = await muster("restore", "a", "--url", "http://127.0.0.1:1", ...option);
  expect(code).toBe(2);
  expect(err).toContain("--url excludes");
});
