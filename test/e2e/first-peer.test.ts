import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { testMesh } from "./mesh.ts";
import { muster, start, type MusterProcess } from "./processes.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-first-peer-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

test("AD60 AD62 a newcomer admits the first worker of an allowlist with the command that join-key prints", async () => {
  const started = await testMesh({ AUTH_MODE: "allowlist" });
  const { mesh } = started;
  try {
    // As after a deployment: no state folder, only the URL and the admin token.
    const env = { MUSTER_URL: mesh.url, MUSTER_TOKEN: mesh.adminToken, XDG_CONFIG_HOME: dir };
    const options = { cwd: dir, env };
    expect((await muster(["mesh", "auth-mode"], options)).stdout).toBe("allowlist\n");
    const stranger = await muster(["join", "--exec", "wc -c"], options);
    expect(stranger).toMatchObject({ code: 4, stderr: expect.stringContaining("muster join-key") });

    const { stdout } = await muster(["join-key", "create", "--label", "first worker"], options);
    const [, keygen = ""] = /^ +npx muster (keygen .+?) +#/m.exec(stdout) ?? [];
    const [, link = "", joining = ""] =
      /^ +MUSTER_LINK='(.+)' npx muster (join .+) --exec COMMAND$/m.exec(stdout) ?? [];
    expect(await muster(keygen.split(" "), options)).toMatchObject({ code: 0 });
    const words = joining.split(" ");
    const invited = { ...options, env: { ...env, MUSTER_LINK: link } };
    const peer = start([...words, "--exec", "wc -c"], invited);
    await peer.waitForOutput(/joined .* as worker/);
    const assigned = await muster(["assign", "count", '"hello"', "--wait"], options);
    // stderr may tell how the task was doing.
    expect(assigned).toMatchObject({ code: 0, stdout: "7\n" });
    peer.child.kill("SIGINT");
    expect(await peer.finished).toMatchObject({ code: 0 });

    // It is listed now and needs no join key any more; the key admits nobody else.
    const again = start(["join", "--key-file", "key.json", "--exec", "wc -c"], options);
    await again.waitForOutput(/joined .* as worker/);
    again.child.kill("SIGINT");
    await again.finished;
    const other = await muster(
      words.filter((word) => !/key\.json|--key-file/.test(word)),
      invited,
    );
    expect(other).toMatchObject({ code: 4, stderr: expect.stringContaining("used up") });
  } finally {
    await started.stop();
  }
});

test("AD61 start prints the mode in force, and keeps one that was set over HTTP", async () => {
  const options = { cwd: dir };
  const startMesh = async (): Promise<MusterProcess> => {
    const mesh = start(["start", "--port", "0"], options);
    await mesh.waitForOutput(/Ctrl-C stops it/);
    return mesh;
  };
  const first = await startMesh();
  expect(first.stdout).toMatch(/auth mode +open: any program on this machine/);
  const set = await muster(["mesh", "auth-mode", "allowlist", "--json"], options);
  expect(JSON.parse(set.stdout)).toEqual({ mode: "allowlist" });
  first.child.kill("SIGINT");
  await first.finished;

  const second = await startMesh();
  expect(second.stdout).toMatch(/auth mode +allowlist/);
  expect(second.stdout).toContain("npx muster mesh auth-mode open");
  second.child.kill("SIGINT");
  await second.finished;
});
