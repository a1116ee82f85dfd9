/** `--json`, and the exit codes, of the commands that run a mesh, join one, or read and write its files. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { muster, ProcessMarker, start, type ExitResult, type MusterProcess } from "./processes.ts";

let dir: string;
let mark: ProcessMarker;
let mesh: MusterProcess;
let url: string;
let meshKey: string;

const options = (env: Readonly<Record<string, string>> = {}) => ({
  cwd: dir,
  env: { ...mark.env, ...env },
});
const here = (...args: readonly string[]) => muster(args, options());

type Json = Readonly<Record<string, unknown>>;
const linesOf = (text: string): readonly Json[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Json);
/** The error that ended a command: the last line of its stderr. */
const errorOf = ({ stderr }: ExitResult): Json =>
  JSON.parse(stderr.trimEnd().split("\n").at(-1) ?? "") as Json;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-json-"));
  mark = new ProcessMarker();
  mesh = start(["serve", "--port", "0", "--json", "--auth-mode", "open"], options());
  await mesh.waitForOutput(/the mesh runs/);
  const [line] = linesOf(mesh.stdout);
  ({ url, mesh_key: meshKey } = line as { url: string; mesh_key: string });
});
afterAll(async () => {
  for (const { pid } of await mark.markedProcesses()) process.kill(pid, "SIGKILL");
  await rm(dir, { recursive: true, force: true });
});

describe("CL72 with --json stdout has only JSON", () => {
  test("keygen and keygen --mesh", async () => {
    const peer = await here("keygen", "--out", "key.json", "--json");
    expect(peer.code).toBe(0);
    expect(JSON.parse(peer.stdout)).toMatchObject({
      file: expect.stringContaining("key.json") as string,
    });
    expect(JSON.parse((await here("keygen", "--mesh", "--json")).stdout)).toMatchObject({
      ADMIN_TOKEN: expect.any(String) as string,
    });
    const again = await here("keygen", "--out", "key.json", "--json");
    expect([again.code, again.stdout, errorOf(again)["exit_code"]]).toEqual([1, "", 1]);
  });

  test("join and rotate", async () => {
    const peer = start(["join", "--exec", "cat", "--key-file", "key.json", "--json"], options());
    await peer.waitForOutput(/"type":"ready"/);
    peer.child.kill("SIGTERM");
    const ended = await peer.finished;
    expect(ended.code).toBe(0);
    expect(linesOf(ended.stdout).map(({ type }) => type)).toContain("ready");
    const rotated = await here("rotate", "--key-file", "key.json", "--json");
    expect(rotated.code).toBe(0);
    expect(JSON.parse(rotated.stdout)).toMatchObject({
      public_key: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      old_file: expect.stringContaining("key.json.old") as string,
    });
  });

  test("backup, its check, restore and state-hash", async () => {
    await writeFile(join(dir, "passphrase"), "one two three four five six\n", { mode: 0o600 });
    const sealed = ["--passphrase-file", "passphrase", "--json"];
    const made = await here("backup", "--out", "mesh.backup", ...sealed);
    expect(made.code).toBe(0);
    const checked = await here("backup", "--verify", "mesh.backup", ...sealed);
    const restored = await here("restore", "mesh.backup", "--dir", "restored", ...sealed);
    const hash = await here("state-hash", "--dir", "restored", "--json");
    for (const each of [made, checked, restored, hash]) {
      expect(each.code).toBe(0);
      expect(JSON.parse(each.stdout)).toBeTypeOf("object");
    }
    const again = await here("restore", "mesh.backup", "--dir", "restored", ...sealed);
    expect([again.code, again.stdout]).toEqual([1, ""]);
    expect(errorOf(again)["message"]).toContain("is not empty");
  });

  test("start, which stops in good order", async () => {
    const started = start(["start", "--port", "0", "--dir", "other", "--json"], options());
    await started.waitForOutput(/"type":"started"/);
    started.child.kill("SIGTERM");
    const { code, stdout } = await started.finished;
    expect(code).toBe(0);
    expect(linesOf(stdout).map(({ type }) => type)).toEqual(["started", "stopped"]);
  });

  test("demo", async () => {
    await mkdir(join(dir, "files"));
    await writeFile(join(dir, "files", "a.txt"), "a");
    const { code, stdout } = await here("demo", "files", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toBeTypeOf("object");
  });

  test("serve, whose log is JSON lines to the end", async () => {
    for (const line of linesOf(mesh.stdout))
      expect(line).toMatchObject({
        time: expect.any(String) as string,
        level: expect.any(String) as string,
      });
  });
});

describe("CL31 the exit code says what kind of failure it is", () => {
  const DEAD = "http://127.0.0.1:1";

  test.each([
    ["join", ["join", DEAD, "--exec", "cat"]],
    ["rotate", ["rotate", DEAD, "--key-file", "key.json", "--mesh-key", "ab".repeat(32)]],
    ["backup", ["backup", "--out", "none.backup", "--url", DEAD]],
    ["peers", ["peers", "--url", DEAD]],
  ])("3: %s finds no mesh", async (_, call) => {
    const ended = await here(...call, "--json");
    expect([ended.code, ended.stdout.includes('"ready"')]).toEqual([3, false]);
    expect(errorOf(ended)["exit_code"]).toBe(3);
  });

  test.each([
    ["join", () => ["join", url, "--exec", "cat", "--mesh-key", "09".padEnd(64, "0")]],
    ["backup", () => ["backup", "--out", "none.backup", "--url", url]],
    ["peers", () => ["peers", "--url", url]],
  ])("4: %s is refused, or the mesh is another one", async (_, call) => {
    const ended = await muster([...call(), "--json"], {
      cwd: tmpdir(),
      env: { ...mark.env, MUSTER_TOKEN: "mst_wrong-token-of-nobody" },
    });
    expect([ended.code, errorOf(ended)["exit_code"]]).toEqual([4, 4]);
  });

  test.each([
    ["a key that no peer can have, found here", ["allow", "00".repeat(31)]],
    ["the same, found by the mesh", ["allow", "00".repeat(32)]],
    ["a priority, found by the mesh", ["assign", "a", "--priority", "1000"]],
    ["a payload, found here", ["assign", "a", "{"]],
    ["a setting", ["serve", "--port", "x"]],
    ["a file", ["restore", "missing.backup", "--dir", "new"]],
  ])("2: the call is wrong: %s", async (_, call) => {
    const ended = await here(...call, "--json");
    expect([ended.code, ended.stdout, errorOf(ended)["exit_code"]]).toEqual([2, "", 2]);
  });

  test("the URL of the mesh and its key are those that serve has printed", () => {
    expect([url, meshKey]).toEqual([
      expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      expect.stringMatching(/^[0-9a-f]{64}$/),
    ]);
  });
});
