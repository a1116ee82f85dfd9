/** Clients that generators make of the API's description, against a real mesh. */
import { execFile } from "node:child_process";
import { copyFile, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectPeer } from "../../src/client/index.ts";
import { testMesh, type TestMesh } from "../e2e/mesh.ts";

const execFileAsync = promisify(execFile);
/** Runs a program. Its error has what the program printed: mypy prints to stdout. */
const run = (
  program: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly maxBuffer?: number } = {},
) =>
  execFileAsync(program, args, { ...options, encoding: "utf8" }).catch(
    (error: Error & { readonly stdout?: string }) => {
      throw new Error(`${error.message}\n${error.stdout ?? ""}`, { cause: error });
    },
  );

const ROOT = new URL("../..", import.meta.url).pathname;
const SOURCES = join(ROOT, "test/openapi");
/** The tools are too large for the dependencies of the project; they are installed once. */
const CACHE = join(ROOT, "node_modules/.cache/openapi");
const PYTHON = join(CACHE, "python/bin");

/** Null if it was done, else why it can't be: the test is then skipped. */
async function tryTo(install: () => Promise<unknown>): Promise<string | null> {
  try {
    await install();
    return null;
  } catch (error) {
    return String((error as { readonly stderr?: string }).stderr ?? error)
      .trim()
      .slice(-300);
  }
}

async function installNpmTools(): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const lock = await readFile(join(SOURCES, "package-lock.json"), "utf8");
  const installed = join(CACHE, "node_modules/installed-lock.json");
  if ((await readFile(installed, "utf8").catch(() => "")) === lock) return;
  for (const name of ["package.json", "package-lock.json"])
    await copyFile(join(SOURCES, name), join(CACHE, name));
  await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: CACHE });
  await writeFile(installed, lock);
}

async function installPythonTools(): Promise<void> {
  const requirements = await readFile(join(SOURCES, "requirements.txt"), "utf8");
  const installed = join(CACHE, "python/installed.txt");
  if ((await readFile(installed, "utf8").catch(() => "")) === requirements) return;
  await run("python3", ["-m", "venv", "--clear", join(CACHE, "python")]);
  const list = join(SOURCES, "requirements.txt");
  await run(join(PYTHON, "pip"), ["install", "--quiet", "-r", list]);
  await writeFile(installed, requirements);
}

const [noNpm, noPython] = [await tryTo(installNpmTools), await tryTo(installPythonTools)];
const because = (fault: string | null): string => (fault === null ? "" : ` (skipped: ${fault})`);

const tool = (name: string, args: readonly string[], cwd: string) =>
  run(join(CACHE, "node_modules/.bin", name), args, { cwd, maxBuffer: 2 ** 26 });

const DONE = { state: "succeeded", attempts: 1, result: { digest: "sha256 of a.txt" } };

describe("the description of the API", () => {
  let running: TestMesh;
  let worker: ReturnType<typeof connectPeer>;
  let document: string;
  beforeAll(async () => {
    running = await testMesh();
    const { url } = running.mesh;
    const sha256 = (payload: unknown) => ({
      digest: `sha256 of ${(payload as { file: string }).file}`,
    });
    worker = connectPeer({ url, handlers: { sha256 } });
    await worker.ready;
    document = join(running.dir, "openapi.json");
    await writeFile(document, await (await fetch(`${url}/openapi.json`)).text());
  });
  afterAll(async () => {
    await worker?.close();
    await running?.stop();
  });

  it.skipIf(noNpm !== null)(
    `HT71 passes every recommended check of Redocly${because(noNpm)}`,
    async () => {
      const config = join(SOURCES, "redocly.yaml");
      const args = ["lint", document, "--config", config, "--format", "json"];
      const { stdout } = await tool("redocly", args, running.dir).catch(
        (failed: { readonly stdout: string }) => failed,
      );
      const { problems } = JSON.parse(stdout) as { problems: readonly unknown[] };
      expect(problems).toEqual([]);
    },
  );

  it.skipIf(noNpm !== null)(
    `HT71 makes a client with openapi-typescript that submits a task, waits and reads it${because(noNpm)}`,
    async () => {
      const dir = join(running.dir, "typescript");
      await mkdir(dir);
      await symlink(join(CACHE, "node_modules"), join(dir, "node_modules"));
      await copyFile(join(SOURCES, "readme-client.txt"), join(dir, "client.ts"));
      await writeFile(join(dir, "package.json"), '{ "type": "module" }');
      await tool("openapi-typescript", [document, "-o", "mesh.ts"], dir);
      const strict = ["--strict", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes"];
      const modules = ["--module", "nodenext", "--target", "es2024", "--lib", "es2024,dom"];
      const types = ["--skipLibCheck", "false", "--rewriteRelativeImportExtensions"];
      await tool("tsc", [...strict, ...modules, ...types, "client.ts"], dir);
      const { url, adminToken } = running.mesh;
      const { stdout } = await run(process.execPath, [join(dir, "client.js"), url, adminToken]);
      expect(JSON.parse(stdout)).toEqual(DONE);
    },
  );

  it.skipIf(noPython !== null)(
    `HT71 makes a client with openapi-python-client that submits a task, waits and reads it${because(noPython)}`,
    async () => {
      const dir = join(running.dir, "python");
      const config = join(running.dir, "python.json");
      // Its hooks format the client with ruff, which is not installed.
      await writeFile(config, JSON.stringify({ post_hooks: [] }));
      const options = ["--path", document, "--config", config, "--output-path", dir];
      const { stdout: told } = await run(join(PYTHON, "openapi-python-client"), [
        "generate",
        "--fail-on-warning",
        ...options,
      ]);
      expect(told).not.toContain("Warning");
      const script = join(dir, "readme_client.py");
      await copyFile(join(SOURCES, "readme_client.py"), script);
      await run(join(PYTHON, "python"), ["-m", "compileall", "-q", dir]);
      await run(join(PYTHON, "mypy"), ["--strict", "muster_client", script], { cwd: dir });
      const { url, adminToken } = running.mesh;
      const { stdout } = await run(join(PYTHON, "python"), [script, url, adminToken], { cwd: dir });
      expect(JSON.parse(stdout)).toEqual(DONE);
      await rm(dir, { recursive: true });
    },
  );
});
