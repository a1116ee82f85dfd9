import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testMesh, type TestMesh } from "./mesh.ts";
import { muster, start, type ExitResult } from "./processes.ts";

let started: TestMesh;
beforeAll(async () => {
  started = await testMesh();
});
// Undefined when the start failed.
afterAll(() => (started as TestMesh | undefined)?.stop());

/** Runs `muster` beside the state folder of the mesh, which provides URL and token. */
const here = (...args: string[]): Promise<ExitResult> => muster(args, { cwd: started.dir });

describe("secrets", () => {
  test("CL8 --mesh --out writes the secrets to a new private file, whose token the mesh accepts by that name", async () => {
    const { code, stdout } = await here("keygen", "--mesh", "--out", "mesh.secrets", "--json");
    expect(code).toBe(0);
    const path = join(started.dir, "mesh.secrets");
    const text = await readFile(path, "utf8");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(text).toMatch(/^(?:[A-Z_]+=[0-9a-f]{64}\n){4}$/);
    for (const [secret] of text.matchAll(/[0-9a-f]{64}/g)) expect(stdout).not.toContain(secret);
    expect((JSON.parse(stdout) as { mesh_key: string }).mesh_key).toMatch(/^[0-9a-f]{64}$/);
    for (const more of [[], ["--json"], ["--force"]])
      expect((await here("keygen", "--mesh", "--out", "mesh.secrets", ...more)).code).not.toBe(0);
    expect(await readFile(path, "utf8")).toBe(text);
  });

  test("CL7 a peer joins by a link that a command wrote to a file, and nothing prints the join key", async () => {
    const created = await here("join-key", "create", "--uses", "2", "--out", "lab.link");
    expect(created).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("--link-file lab.link"),
    });
    const link = await readFile(join(started.dir, "lab.link"), "utf8");
    const [joinKey = ""] = /mjk_[0-9a-f]+/.exec(link) ?? [];
    expect(joinKey).not.toBe("");
    const filed = start(["join", "--link-file", "lab.link"], { cwd: started.dir });
    await filed.waitForOutput(/joined/);
    filed.child.kill("SIGINT");
    expect((await filed.finished).stdout + filed.stderr).not.toContain(joinKey);

    const seen = start(["join", "--capability", "env", "--exec", "env"], {
      cwd: started.dir,
      env: { MUSTER_LINK: link.trim(), MUSTER_TOKEN: "mst_00", MUSTER_JOIN_KEY: joinKey },
    });
    await seen.waitForOutput(/joined/);
    const shown = await here("assign", "x", "--capability", "env", "--wait");
    expect(shown.stdout).toContain("MUSTER_TASK_ID");
    expect(shown.stdout).not.toMatch(/MUSTER_(?:LINK|TOKEN|JOIN_KEY)|mjk_/);
    seen.child.kill("SIGINT");
    const { stdout, stderr } = await seen.finished;
    expect(stdout + stderr + created.stdout).not.toContain(joinKey);
  });

  test("CL8 a token is written to a new file only, before it is created", async () => {
    const args = ["token", "create", "viewer", "--label", "filed", "--out", "viewer.token"];
    const { code, stdout } = await here(...args);
    const token = await readFile(join(started.dir, "viewer.token"), "utf8");
    expect(code).toBe(0);
    expect(token).toMatch(/^mst_[0-9a-f]+\n$/);
    expect(stdout).not.toContain(token.trim());
    expect(await here("peers", "--token-file", "viewer.token")).toMatchObject({
      code: 0,
      stderr: "",
    });
    expect((await here(...args)).stderr).toContain("viewer.token exists already");
    const tokens = JSON.parse((await here("token", "list", "--json")).stdout) as {
      label: string;
    }[];
    expect(tokens.filter(({ label }) => label === "filed")).toHaveLength(1);
  });

  test("CL14 rotate replaces the key file, keeps the old key, and leaves no new key that the mesh has not received", async () => {
    const made = await here("keygen", "--out", "turning.json", "--json");
    const { id } = JSON.parse(made.stdout) as { id: string };
    const path = join(started.dir, "turning.json");
    const before = await readFile(path, "utf8");
    expect((await here("rotate", "--key-file", "turning.json")).code).toBe(0);
    const rotated = await readFile(path, "utf8");
    expect(rotated).not.toContain(id);
    expect(await readFile(`${path}.old`, "utf8")).toBe(before);
    expect((await stat(path)).mode & 0o777).toBe(0o600);

    await writeFile(join(started.dir, "barred-key.json"), before, { mode: 0o600 });
    expect((await here("rotate", "--key-file", "barred-key.json")).code).toBe(4);
    const files = await readdir(started.dir);
    expect(files).not.toContain("turning.json.new");
    expect(files).not.toContain("barred-key.json.new");
    expect(await readFile(join(started.dir, "barred-key.json"), "utf8")).toBe(before);
  });

  test("CL13 neither a file of the mesh nor what it reports holds a query", async () => {
    const { root, state } = started.mesh.folder;
    const peer = start(["join", "--exec", "cat"], { cwd: started.dir });
    await peer.waitForOutput(/joined/);
    peer.child.kill("SIGINT");
    await peer.finished;
    const files = await readdir(root, { recursive: true, withFileTypes: true });
    const paths = files
      .filter((file) => file.isFile())
      .map((file) => join(file.parentPath, file.name));
    expect(paths.some((path) => path.startsWith(state))).toBe(true);
    for (const path of paths)
      // A journal of SQLite may be gone again.
      expect(await readFile(path, "latin1").catch(() => "")).not.toMatch(
        /[?&](?:proof|peer)=[0-9a-f]/,
      );
    expect(started.reported.join("\n")).not.toMatch(/[?&](?:proof|peer)=/);
  });
});
