import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync, readFileSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { COMMANDS } from "../../src/cli/commands/index.ts";
import { createInto, readPrivateFile } from "../../src/cli/private-file.ts";
import { readSecret, withoutSecrets } from "../../src/cli/secrets.ts";
import { writtenDuring } from "./terminal.ts";

const ROOT = join(import.meta.dirname, "../..");
const SECRET = `mst_${"0123456789abcdef".repeat(6)}`;

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-secrets-"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(dir, { recursive: true, force: true });
});

async function fileOf(content: string, mode = 0o600): Promise<string> {
  const path = join(dir, "file");
  await writeFile(path, content);
  await chmod(path, mode);
  return path;
}

describe("CL7 a secret", () => {
  let server: Server;
  const seen: (string | undefined)[] = [];
  beforeAll(async () => {
    server = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.end("{}");
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  });
  afterAll(() => void server.close());

  test.each([
    ["an argument", ["--token", SECRET], {}, ""],
    ["a file", ["--token-file", "FILE"], {}, ""],
    ["stdin", ["--token-file", "-"], {}, `${SECRET}\n`],
    ["the environment", [], { MUSTER_TOKEN: SECRET }, ""],
    ["a file before the environment", ["--token-file", "FILE"], { MUSTER_TOKEN: "other" }, ""],
  ])("can come from %s, and only an argument is warned of", async (_way, args, env, input) => {
    const file = await fileOf(`${SECRET}\n`);
    const { port } = server.address() as AddressInfo;
    const words = args.map((word) => (word === "FILE" ? file : word));
    const child = spawn(
      process.execPath,
      [join(ROOT, "src/cli/main.ts"), "mesh", "--url", `http://127.0.0.1:${port}`, ...words],
      { env: { ...process.env, MUSTER_TOKEN: "", ...env } },
    );
    child.stdin.end(input);
    const errors = text(child.stderr);
    await once(child, "close");
    expect(seen.pop()).toBe(`Bearer ${SECRET}`);
    expect(await errors).not.toContain(SECRET);
    expect(
      (await errors).includes("among the arguments; use --token-file FILE or MUSTER_TOKEN"),
    ).toBe(args[0] === "--token");
  });

  test.each([
    ["join-key", "MUSTER_JOIN_KEY"],
    ["link", "MUSTER_LINK"],
    ["token", "MUSTER_TOKEN"],
  ] as const)("%s is read from its file, else from %s", async (name, variable) => {
    vi.stubEnv(variable, "from-environment");
    const none = { value: undefined, file: undefined };
    expect(await readSecret(name, none)).toBe("from-environment");
    const file = await fileOf("  from-file \n");
    expect(await readSecret(name, { ...none, file })).toBe("from-file");
    vi.stubEnv(variable, "");
    expect(await readSecret(name, none)).toBeUndefined();
    await expect(readSecret(name, { value: "https://h.test", file })).rejects.toThrow(
      "given twice",
    );
  });

  test("is the admin token in the secrets of a mesh", async () => {
    const file = await fileOf("A=1\nADMIN_TOKEN=abc\nMESH_IDENTITY_KEY=def\n");
    expect(await readSecret("token", { value: undefined, file })).toBe("abc");
  });

  test.each(["", " \n", "two words", "two\nlines", "esc\u001b[31m"])(
    "is not %j, and the refusal does not show it",
    async (content) => {
      const file = await fileOf(content);
      const refused = readSecret("token", { value: undefined, file });
      await expect(refused).rejects.toThrow(`${file} has no token`);
    },
  );

  test("of a link is warned of only if the link has a join key", async () => {
    const link = `muster://127.0.0.1/#${"ab".repeat(32)}`;
    const noted = (value: string) =>
      writtenDuring(() => readSecret("link", { value, file: undefined }));
    expect(await noted(link)).toBe("");
    expect(await noted(`${link}&join=mjk_12`)).toContain("--link-file FILE or MUSTER_LINK");
  });

  test("is in no example of the documentation an argument", () => {
    const pages = globSync(["README.md", "docs/**/*.md"], { cwd: ROOT });
    for (const page of pages) {
      const examples = readFileSync(join(ROOT, page), "utf8").match(/^npx muster .*$/gm) ?? [];
      expect(examples.filter((line) => /--token |--key |[&#]join=/.test(line))).toEqual([]);
    }
    for (const { details = [] } of Object.values(COMMANDS)) {
      const options = details.map(([option]) => option.trim().split(" ")[0]);
      if (options.includes("--token")) expect(options).toContain("--token-file");
    }
  });
});

test("CL8 the names that commands propose for secrets are ignored by git", () => {
  const ignored = readFileSync(join(ROOT, ".gitignore"), "utf8").split("\n");
  for (const pattern of [
    "*.secrets",
    "*-key.json",
    "*-key.json.old",
    "*-key.json.new",
    "*.token",
    "*.link",
    ".muster/",
  ])
    expect(ignored).toContain(pattern);
});

test("CL8 a secret is not created when its file exists, and leaves no file when it cannot be created", async () => {
  const path = join(dir, "out");
  const undo = () => Promise.resolve("undone");
  const refused = () => Promise.reject<string>(new Error("refused"));
  const failing = createInto(path, { create: refused, textOf: String, undo });
  await expect(failing).rejects.toThrow("refused");
  await expect(stat(path)).rejects.toThrow("ENOENT");
  await createInto(path, { create: () => Promise.resolve("one"), textOf: String, undo });
  expect(await readFile(path, "utf8")).toBe("one\n");
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  const create = vi.fn(() => Promise.resolve("two"));
  await expect(createInto(path, { create, textOf: String, undo })).rejects.toThrow(
    "exists already",
  );
  expect(create).not.toHaveBeenCalled();
});

test("CL8 a secret that cannot be written is undone, and that is said", async () => {
  const folder = join(dir, "gone");
  await mkdir(folder);
  const undo = vi.fn(() => Promise.resolve("the token one is revoked"));
  const lost = createInto(join(folder, "out"), {
    // As a disk that is full: nothing can be written any more.
    create: () => rm(folder, { recursive: true }).then(() => "one"),
    textOf: String,
    undo,
  });
  await expect(lost).rejects.toMatchObject({
    message: expect.stringContaining("cannot write") as string,
    hint: "the token one is revoked",
  });
  expect(undo).toHaveBeenCalledWith("one");
});

test.each([
  [0o600, false],
  [0o400, false],
  [0o640, true],
  [0o604, true],
  [0o644, true],
])("CL9 of a secret file with mode %o it is said that others may read it: %s", async (mode, is) => {
  const path = await fileOf("x", mode);
  const said = await writtenDuring(() => readPrivateFile(path));
  expect(said.includes(`run: chmod 600 ${path}`)).toBe(is);
});

test("CL10 the programs and modules that run tasks get none of the secrets", () => {
  const env = {
    MUSTER_TOKEN: "1",
    MUSTER_JOIN_KEY: "2",
    MUSTER_LINK: "3",
    MUSTER_URL: "muster://h/#k&join=4",
    PATH: "5",
  };
  expect(withoutSecrets(env)).toEqual({ PATH: "5" });
  expect(withoutSecrets({ MUSTER_URL: "https://h" })).toEqual({ MUSTER_URL: "https://h" });
});
