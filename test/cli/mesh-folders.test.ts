/** What lies in the folder of a mesh, and is not as Muster wrote it: every command that opens one. */
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeEach, afterEach, describe, expect, test } from "vitest";
import { storedPeerKey } from "../../src/cli/join/peer-key.ts";
import { secretLinesIn, secretsIn } from "../../src/cli/secrets-file.ts";
import { stateFolder } from "../../src/cli/state-folder.ts";
import { muster } from "./command-run.ts";
import { meshFolder } from "./backup/mesh-folder.ts";

// Each command line of this process listens to signals.
process.setMaxListeners(0);

let dir: string;
beforeEach(async () => {
  dir = join(await mkdtemp(join(tmpdir(), "muster-folders-")), "mesh");
  const folder = await meshFolder(dir);
  folder.parts.results.close();
  folder.database.close();
});
afterEach(() => rm(dirname(dir), { recursive: true, force: true }));

/** The commands that open the folder of a mesh. */
const OPEN: readonly (readonly [name: string, call: () => readonly string[]])[] = [
  ["start", () => ["start", "--port", "0", "--dir", dir]],
  ["serve", () => ["serve", "--port", "0", "--dir", dir]],
  ["backup", () => ["backup", "--dir", dir, "--out", join(dirname(dir), "x.backup")]],
  ["state-hash", () => ["state-hash", "--dir", dir]],
];
const oneLine = async (call: readonly string[]) => {
  const { code, out, err } = await muster(...call);
  expect([out, err]).toEqual(["", expect.stringMatching(/^muster: [^\n]+\n$/)]);
  return { code, err };
};

describe.each(OPEN)("BK41 muster %s", (_, call) => {
  test("refuses a folder that a newer Muster has written, by its version, and writes nothing to it", async () => {
    await writeFile(stateFolder(dir).version, '{"muster":"99.0.0","schema":9999}');
    await writeFile(stateFolder(dir).secrets, "A_SECRET_OF_TOMORROW=1\n");
    const before = await readdir(dir);
    const { code, err } = await oneLine(call());
    expect(code).toBe(1);
    expect(err).toContain(`${dir} was written by Muster 99.0.0 (schema version 9999)`);
    expect(await readdir(dir)).toEqual(before);
  });

  test.each(["", "{", "[]", '{"muster":"1.0.0"}', '{"muster":"1.0.0","schema":-1}'])(
    "refuses a folder whose version can't be read: %j",
    async (text) => {
      await writeFile(stateFolder(dir).version, text);
      const { code, err } = await oneLine(call());
      expect(code).toBe(1);
      expect(err).toContain(`${stateFolder(dir).version} is not valid`);
    },
  );
});

describe("BK41 a folder without a mesh", () => {
  test.each(OPEN.slice(2))("has nothing for muster %s", async (_, call) => {
    await rm(dir, { recursive: true });
    expect((await oneLine(call())).code).toBe(2);
    await mkdir(dir);
    expect((await oneLine(call())).code).toBe(2);
  });
});

const SECRET = "5ecret5ecret5ecret";
/** How a line of `secrets.env` can be wrong, and what is said. */
const BAD_SECRETS: readonly (readonly [
  name: string,
  change: (text: string) => string,
  says: RegExp,
])[] = [
  [
    "a bad identity key",
    (text) => text.replace(/^(MESH_IDENTITY_KEY=).*$/m, `$1${SECRET}`),
    /secrets\.env: the secret MESH_IDENTITY_KEY is not 32 bytes in hex or base64/,
  ],
  [
    "a bad signing key",
    (text) => text.replace(/^(MESH_SIGNING_KEY=).*$/m, `$1${SECRET}`),
    /secrets\.env: the secret MESH_SIGNING_KEY is not 32 bytes in hex or base64/,
  ],
  [
    "a missing line",
    (text) => text.replace(/^MESH_DISCOVERY_KEY=.*\n/m, ""),
    /secrets\.env lacks MESH_DISCOVERY_KEY/,
  ],
  [
    "a misspelled name",
    (text) => `${text}MESH_IDENTITY_KEY_NEX=${SECRET}\n`,
    /line 5 of .*secrets\.env is not NAME=VALUE with the name of a secret, did you mean MESH_IDENTITY_KEY_NEXT\?/,
  ],
  ["a line of another program", (text) => `${text}PATH=${SECRET}\n`, /line 5 of .*secrets\.env /],
  ["no name", (text) => `${SECRET}\n${text}`, /line 1 of .*secrets\.env is not NAME=VALUE/],
  ["a value with blanks", (text) => text.replace(/^ADMIN_TOKEN=/, "$&a b "), /line 1 of /],
  [
    "a line twice",
    (text) => `${text}ADMIN_TOKEN=${SECRET}\n`,
    /line 5 of .* has ADMIN_TOKEN, which an earlier line has/,
  ],
  ["an empty file", () => "", /secrets\.env lacks ADMIN_TOKEN/],
];

describe.each(OPEN.slice(0, 3))("SV47 muster %s and the secrets in its folder", (name, call) => {
  test.each(BAD_SECRETS.filter(([kind]) => name !== "backup" || !/missing|empty/.test(kind)))(
    "%s: one line with the place and no value, and exit code 1",
    async (_, change, says) => {
      const { secrets } = stateFolder(dir);
      await writeFile(secrets, change(await readFile(secrets, "utf8")));
      const { code, err } = await oneLine(call());
      expect(code).toBe(1);
      expect(err).toMatch(says);
      expect(err).not.toContain("5ecret");
    },
  );
});

test("SV47 a token that the Worker would refuse is told before anything starts", async () => {
  const { secrets } = stateFolder(dir);
  const text = await readFile(secrets, "utf8");
  await writeFile(secrets, text.replace(/^(ADMIN_TOKEN=).*$/m, "$15hort"));
  const { code, err } = await oneLine(["serve", "--port", "0", "--dir", dir]);
  expect([code, err]).toEqual([
    1,
    expect.stringContaining(
      `${secrets}: the secret ADMIN_TOKEN is shorter than 16 characters; correct it`,
    ),
  ]);
  expect(err).not.toContain("5hort");
});

test("SV47 comments, empty lines and line ends of Windows are read; every secret of a mesh may be there", async () => {
  const text = await readFile(stateFolder(dir).secrets, "utf8");
  const key = "ab".repeat(32);
  const more = `# next\r\n\r\n${text.replaceAll("\n", "\r\n")}MESH_IDENTITY_KEY_NEXT=${key}\r\n`;
  expect(secretsIn(more, "x")).toEqual({
    ...secretLinesIn(text, "x"),
    MESH_IDENTITY_KEY_NEXT: key,
  });
});

test.each(["", "# later\n\n"])(
  "SV47 a file of --secrets without any (%j) does not let the mesh use others",
  async (text) => {
    const named = join(dirname(dir), "empty.secrets");
    await writeFile(named, text, { mode: 0o600 });
    const { code, err } = await oneLine(["serve", "--port", "0", "--dir", dir, "--secrets", named]);
    expect([code, err]).toEqual([2, expect.stringContaining("(--secrets) has no secret")]);
  },
);

describe("CL73 the exit code is 2 for what the caller has written, and 1 for what lies on the disk", () => {
  test("a bad key: in the variable or the named file 2, in the folder 1", async () => {
    const bad = join(dirname(dir), "bad.secrets");
    const text = await readFile(stateFolder(dir).secrets, "utf8");
    await writeFile(bad, text.replace(/^(MESH_IDENTITY_KEY=).*$/m, `$1${SECRET}`), { mode: 0o600 });
    const named = await oneLine(["serve", "--port", "0", "--dir", dir, "--secrets", bad]);
    expect([named.code, named.err]).toEqual([
      2,
      expect.stringContaining("the secret MESH_IDENTITY_KEY is not 32 bytes"),
    ]);
    await writeFile(bad, `${text}MESH_SIGNING_KEX=${SECRET}\n`);
    const misspelled = await oneLine(["serve", "--port", "0", "--dir", dir, "--secrets", bad]);
    expect(misspelled.err).toContain("did you mean MESH_SIGNING_KEY?");
    expect(misspelled.code).toBe(2);
    expect(named.err + misspelled.err).not.toContain("5ecret");
  });

  test("a key file: one that the call names 2, one that Muster keeps 1", async () => {
    const named = join(dirname(dir), "key.json");
    await writeFile(named, "{}", { mode: 0o600 });
    const url = "http://127.0.0.1:1";
    expect(await oneLine(["join", "--url", url, "--exec", "true", "--key-file", named])).toEqual({
      code: 2,
      err: expect.stringContaining(`${named} is not a key file`),
    });
    const kept = join(stateFolder(dir).peers, "127.0.0.1_1.json");
    await mkdir(dirname(kept), { recursive: true });
    await writeFile(kept, "{}", { mode: 0o600 });
    await expect(storedPeerKey(dir, url, false)).rejects.toMatchObject({
      exitCode: 1,
      message: `${kept} is not a key file`,
    });
  });

  test.runIf(process.platform === "linux" && process.getuid?.() === 0)(
    "a folder that this user may not open: 1 (needs root)",
    async () => {
      // Root may read all; a link that leads nowhere is what it can't make.
      await rm(dir, { recursive: true });
      for (const call of [
        ["start", "--port", "0", "--dir", "/proc/muster/mesh"],
        ["serve", "--port", "0", "--dir", "/proc/muster/mesh"],
        ["restore", "x", "--dir", "/proc/muster/mesh"],
      ])
        expect((await oneLine(call)).code).toBe(1);
      await writeFile(dir, "");
      await chmod(dir, 0o600);
      for (const command of ["start", "serve"])
        expect((await oneLine([command, "--port", "0", "--dir", dir])).code).toBe(2);
      expect((await oneLine(["restore", "x", "--dir", dir])).code).toBe(2);
    },
  );
});
