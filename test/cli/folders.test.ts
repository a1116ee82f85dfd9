/** Folders that can't be used, and the codes of the system. */
import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { existsSync, globSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { databaseIn } from "../../src/cli/backup/object-file.ts";
import { acquireLock } from "../../src/cli/lock.ts";
import { describeError, errorJson } from "../../src/cli/failure.ts";
import { noFolder, readFileIfExists, replaceFile, unreadableInput } from "../../src/cli/files.ts";
import { SYSTEM_CODES } from "../../src/cli/system-codes.ts";
import {
  ensureSecrets,
  meshKeyOf,
  stateFolder,
  writeMeshFile,
} from "../../src/cli/state-folder.ts";
import { muster } from "./command-run.ts";

const PROJECT = join(import.meta.dirname, "../..");
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-folders-"));
  await writeFile(join(dir, "file"), "");
  await mkdir(join(dir, "empty"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const withCode = (code: string) => Object.assign(new Error(code), { code });

describe("SV60 the secrets of a folder", () => {
  test("are made for a new mesh, and for one that has run they are not made again", async () => {
    const folder = stateFolder(join(dir, "mesh"));
    const secrets = await ensureSecrets(folder);
    expect(await ensureSecrets(folder)).toEqual(secrets);
    const key = meshKeyOf(secrets);
    await writeMeshFile(folder, { url: "http://127.0.0.1:8787", mesh_key: key });
    await rm(folder.secrets);
    const failure = await ensureSecrets(folder).catch((error: unknown) => error);
    const { text, exitCode } = describeError(failure);
    expect(exitCode).toBe(1);
    expect(text).toContain(`${folder.secrets} does not exist`);
    expect(text).toContain(key);
    expect(existsSync(folder.secrets)).toBe(false);
  });
});

test("SV60 the secrets of a folder are not made again if a database is there, and nothing else", async () => {
  const folder = stateFolder(join(dir, "database-alone"));
  const database = databaseIn(join(folder.state, "objects"));
  await mkdir(dirname(database), { recursive: true });
  await writeFile(database, "");
  await expect(ensureSecrets(folder)).rejects.toThrow(`${folder.secrets} does not exist`);
  expect(existsSync(folder.secrets)).toBe(false);
});

describe("CL67 a folder that can't be used is told in one line with what to do", () => {
  test.each([
    ["missing", "has no mesh: it does not exist"],
    ["file", "has no mesh: it is a file, and no folder"],
    ["empty", "has no mesh"],
  ])("of --dir: %s", async (name, fault) => {
    const path = join(dir, name);
    for (const call of [["peers"], ["state-hash"], ["backup", "--out", join(dir, "x")]]) {
      const { code, err, out } = await muster(...call, "--dir", path);
      expect([code, out]).toEqual([2, ""]);
      expect(err).toBe(
        `muster: ${path} ${fault}; name the folder of a mesh with --dir, or start one: \`npx muster start --dir ${path}\`\n`,
      );
    }
  });

  test("that another process uses, with its process ID and its folder", async () => {
    const { lock, root } = stateFolder(dir);
    const release = await acquireLock(lock);
    const error = await acquireLock(lock).catch((thrown: unknown) => describeError(thrown));
    await release();
    expect(error).toMatchObject({
      exitCode: 1,
      text: `another mesh (process ${process.pid}) uses the folder ${root}; stop that mesh first (kill ${process.pid}), or choose another folder with --dir`,
    });
  });

  test("that a newer version has written", async () => {
    const newer = join(dir, "newer");
    await mkdir(newer);
    await writeFile(join(newer, "version.json"), '{"muster":"99.0.0","schema":9999}');
    const { code, err } = await muster("start", "--port", "0", "--dir", newer);
    expect(code).toBe(1);
    expect(err).toMatch(
      /^muster: .*newer was written by Muster 99\.0\.0 .*; start the newer [^\n]+\n$/,
    );
  });

  test.each(["EACCES", "EROFS", "ENOSPC", "ENOTDIR", "EEXIST", "ELOOP"])(
    "whose creation the system refuses: %s",
    (code) => {
      const { text, exitCode } = describeError(
        noFolder("/srv/mesh", withCode(code), "choose another folder with --dir"),
      );
      // CL73: a path through a file is an error of the call.
      expect(exitCode).toBe(["ENOTDIR", "EEXIST"].includes(code) ? 2 : 1);
      expect(text).toMatch(
        /^cannot create the folder \/srv\/mesh \(E[A-Z]+\); .+; or choose another folder with --dir$/,
      );
    },
  );

  test.each<[string, Error, string]>([
    ["the system", withCode("ENOSPC"), "ENOSPC"],
    ["the system, of a quota", withCode("EDQUOT"), "EDQUOT"],
    ["the system, of a read-only file system", withCode("EROFS"), "EROFS"],
    ["SQLite", Object.assign(new Error("database or disk is full"), { errcode: 13 }), "ENOSPC"],
    [
      "SQLite, of its log",
      Object.assign(new Error("disk I/O error"), { errcode: 4_874 }),
      "ENOSPC",
    ],
  ])(
    "BK43 a disk that refuses a write is no defect, wherever it is thrown: %s",
    (_, error, code) => {
      const { text, details, exitCode } = describeError(error);
      expect([exitCode, details]).toEqual([1, []]);
      expect(text).toContain(`cannot go on (${code})`);
      expect(text).toContain(String(SYSTEM_CODES[code]));
      expect(errorJson(error)).toMatchObject({ code: "failed", exit_code: 1 });
    },
  );

  test("files in it: what the system says, and what to do", async () => {
    await expect(replaceFile(join(dir, "file", "below"), "x")).rejects.toMatchObject({
      message: expect.stringContaining("(ENOTDIR)") as string,
      hint: SYSTEM_CODES["ENOTDIR"],
    });
    await expect(readFileIfExists(dir)).rejects.toMatchObject({
      message: `cannot read ${dir} (EISDIR)`,
      hint: SYSTEM_CODES["EISDIR"],
    });
    expect(unreadableInput("x", withCode("EACCES"), "it is the key").hint).toBe(
      `${SYSTEM_CODES["EACCES"]}; it is the key`,
    );
  });

  test.runIf(process.platform === "linux" && process.getuid?.() === 0)(
    "without permission, as another user has it (needs root)",
    async () => {
      const closed = join(dir, "closed");
      await mkdir(closed);
      await chmod(dir, 0o755);
      const script = `process.setgid(65534); process.setuid(65534); process.argv.push("muster", "start", "--port", "0", "--dir", ${JSON.stringify(join(closed, "mesh"))}); await import(${JSON.stringify(join(PROJECT, "src/cli/main.ts"))})`;
      const ended = await promisify(execFile)(
        process.execPath,
        ["--input-type=module", "-e", script],
        { cwd: dir },
      ).catch((error: unknown) => error as { code: number; stderr: string });
      expect(ended).toMatchObject({
        code: 1,
        stderr: `muster: cannot create the folder ${join(closed, "mesh")} (EACCES); ${SYSTEM_CODES["EACCES"]}; or choose another folder with --dir\n`,
      });
    },
  );
});

describe("CL67 codes of the system", () => {
  test.each(Object.keys(SYSTEM_CODES))(
    "muster help %s explains it, in any spelling",
    async (code) => {
      for (const word of [code, code.toLowerCase()]) {
        const { out, code: exit } = await muster("help", word);
        expect(exit).toBe(0);
        expect(out).toContain(`### \`${code}\``);
        expect(out).toContain("- Remedy: ");
      }
    },
  );

  test("each code that the sources name is in the table, or is no code that a user sees", () => {
    const internal = ["ESRCH", "EEXIST", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"];
    const named = globSync("{src/cli,src/client,server}/**/*.ts", { cwd: PROJECT }).flatMap(
      (file) =>
        [
          ...readFileSync(join(PROJECT, file), "utf8").matchAll(/"(E(?:[A-Z]{3,}|AI_[A-Z]+))"/g),
        ].map(([, code = ""]) => code),
    );
    const unknown = [...new Set(named)].filter((code) => !Object.hasOwn(SYSTEM_CODES, code));
    expect(unknown.filter((code) => !internal.includes(code))).toEqual([]);
  });

  test("a misspelled one leads to the nearest", async () => {
    const { out } = await muster("help", "EADRINUSE");
    expect(out).toContain("### `EADDRINUSE`");
  });
});
