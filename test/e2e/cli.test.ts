import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testMesh, type TestMesh } from "./mesh.ts";
import { eventually, muster, start, type ExitResult } from "./processes.ts";

let started: TestMesh;
beforeAll(async () => {
  started = await testMesh();
});
// Undefined when the start failed.
afterAll(() => (started as TestMesh | undefined)?.stop());

/** Runs `muster` beside the state folder of the mesh, which provides URL and token. */
const here = (...args: string[]): Promise<ExitResult> => muster(args, { cwd: started.dir });

async function newKey(name: string): Promise<{ readonly id: string; readonly public_key: string }> {
  const { stdout } = await here("keygen", "--out", `${name}.json`, "--json");
  return JSON.parse(stdout) as { id: string; public_key: string };
}

describe("keygen", () => {
  test("writes a key file that only its owner can read, and prints no secret", async () => {
    const { code, stdout } = await here("keygen", "--out", "a.json");
    expect(code).toBe(0);
    const path = join(started.dir, "a.json");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const file = JSON.parse(await readFile(path, "utf8")) as Record<string, string>;
    expect(stdout).toContain(file["id"]);
    expect(stdout).toContain(file["public_key"]);
    expect(file["private_key"]).toMatch(/^[0-9a-f]{64}$/);
    expect(stdout).not.toContain(file["private_key"]);
  });

  test("does not overwrite an existing file without --force", async () => {
    await here("keygen", "--out", "b.json");
    const before = await readFile(join(started.dir, "b.json"), "utf8");
    const refused = await here("keygen", "--out", "b.json");
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("b.json exists already"),
    });
    expect(await readFile(join(started.dir, "b.json"), "utf8")).toBe(before);
    expect((await here("keygen", "--out", "b.json", "--force")).code).toBe(0);
    expect(await readFile(join(started.dir, "b.json"), "utf8")).not.toBe(before);
  });

  test("--mesh prints four different secrets for wrangler", async () => {
    const { stdout } = await here("keygen", "--mesh");
    const lines = stdout.trim().split("\n");
    expect(lines.map((line) => line.split("=")[0])).toEqual([
      "ADMIN_TOKEN",
      "MESH_IDENTITY_KEY",
      "MESH_DISCOVERY_KEY",
      "MESH_SIGNING_KEY",
    ]);
    const values = lines.map((line) => line.split("=")[1]);
    expect(new Set(values).size).toBe(4);
    for (const value of values) expect(value).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe("the commands join, assign, task, peers and revoke", () => {
  test("list a peer, assign tasks to it, print them, and revoke it", async () => {
    const { id } = await newKey("life");
    const peer = start(
      [
        "join",
        "--key-file",
        "life.json",
        "--name",
        "cycled",
        "--capability",
        "life",
        "--exec",
        "cat",
      ],
      { cwd: started.dir },
    );
    await peer.waitForOutput(/joined .* as worker/);

    const listed = JSON.parse((await here("peers", "--json")).stdout) as { id: string }[];
    expect(listed).toContainEqual(expect.objectContaining({ id, name: "cycled", connected: true }));
    expect((await here("peers", "--state", "active")).stdout).toMatch(/cycled +worker +active/);

    const assigned = await here("assign", "echo", '{"n":1}', "--wait", "--capability", "life");
    expect(assigned).toMatchObject({ code: 0, stdout: '{"n":1}\n' });

    const taskId = (await here("assign", "echo", "7", "--peer", id)).stdout.trim();
    const shown = await here("task", taskId, "--wait", "20");
    expect(shown.code).toBe(0);
    expect(shown.stdout).toMatch(/state +succeeded/);
    expect(shown.stdout).toMatch(/attempt 1 +cycled, score 0\.\d\d, succeeded/);
    expect(shown.stdout).toMatch(/result +7/);

    expect(await here("revoke", id)).toMatchObject({ code: 0, stdout: `${id} is revoked\n` });
    const ended = await peer.finished;
    expect(ended.code).toBe(4);
    expect(ended.stderr).toMatch(/^muster: revoked: the mesh has revoked this peer/m);
  });

  test("discover finds peers by their sealed records, and follows changes until it is stopped", async () => {
    const peer = start(["join", "--name", "seen", "--capability", "seen", "--exec", "cat"], {
      cwd: started.dir,
    });
    await peer.waitForOutput(/joined/);
    const wanted = ["discover", "--capability", "seen"];
    const following = start([...wanted, "--follow"], { cwd: started.dir });
    await following.waitForOutput(/^found {2}[0-9a-f]{32} {2}seen {2}worker/m);
    following.child.kill("SIGINT");
    expect((await following.finished).code).toBe(0);
    expect((await here(...wanted)).stdout).toMatch(/seen +worker +\S+ +0\.\d\d +seen/);
    expect(JSON.parse((await here(...wanted, "--json")).stdout)).toMatchObject([{ name: "seen" }]);
    expect((await here(...wanted, "--role", "controller")).stdout).toBe("no peers\n");
    expect((await here("discover", "--region", "moon")).stderr).toContain(
      "--region must be one of wnam",
    );
    peer.child.kill("SIGINT");
    await peer.finished;
  });

  test("task --follow prints each change, and task --result opens a large sealed result", async () => {
    await newKey("caller");
    const release = join(started.dir, "release");
    const program = `until [ -e '${release}' ]; do sleep 0.05; done; head -c 600000 /dev/zero | tr "\\0" x`;
    const peer = start(["join", "--name", "slow", "--capability", "follow", "--exec", program], {
      cwd: started.dir,
    });
    await peer.waitForOutput(/joined/);
    const given = ["assign", "echo", "--capability", "follow", "--key-file", "caller.json"];
    const id = (await here(...given)).stdout.trim();
    const following = start(["task", id, "--follow"], { cwd: started.dir });
    await following.waitForOutput(/^running {2}at slow/m);
    await writeFile(release, "");
    const followed = await following.finished;
    expect(followed.code).toBe(0);
    expect(followed.stdout).toMatch(/^succeeded {2}at slow {2}100 %/m);
    expect(followed.stdout).toContain(`sealed; \`npx muster task ${id} --result --key-file FILE\``);
    const closed = await here("task", id, "--result");
    expect(closed).toMatchObject({ code: 2, stderr: expect.stringContaining("is sealed") });
    const opened = await here("task", id, "--result", "--key-file", "caller.json");
    expect(opened.stdout).toBe(`"${"x".repeat(600_000)}"\n`);
    expect((await here(...given, "--wait")).stdout).toBe(opened.stdout);
    peer.child.kill("SIGINT");
    await peer.finished;
  });

  test.each([
    [["--role", "controller"], /--role must be one of worker, dual/],
    [["--not-before", "tomorrow"], /--not-before must be a time such as/],
    [["--key-file", "nowhere.json"], /nowhere.json does not exist/],
    [["--avoid", "me"], /--avoid must be the ID of a peer, 32 hex characters, not "me"/],
  ])("assign %j is refused with the reason", async (words, what) => {
    const { code, stderr } = await here("assign", "echo", ...words);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(what);
  });

  test("task refuses --follow together with --cancel", async () => {
    const { code, stderr } = await here("task", "x", "--follow", "--cancel");
    expect([code, stderr]).toEqual([2, expect.stringContaining("exclude each other")]);
  });

  test("assign reads the payload from stdin when PAYLOAD is -", async () => {
    const peer = start(["join", "--name", "in", "--capability", "stdin", "--exec", "cat"], {
      cwd: started.dir,
    });
    await peer.waitForOutput(/joined/);
    const args = ["assign", "echo", "-", "--wait", "--capability", "stdin"];
    const { stdout } = await muster(args, { cwd: started.dir, input: '["from", "afar"]' });
    expect(stdout).toBe('["from", "afar"]\n'); // exactly as the handler wrote it
    peer.child.kill("SIGINT");
    expect((await peer.finished).code).toBe(0);
  });

  test("a task fails with the error output of its program", async () => {
    const peer = start(["join", "--capability", "fails", "--exec", "echo no luck >&2; exit 4"], {
      cwd: started.dir,
    });
    await peer.waitForOutput(/joined/);
    const args = ["assign", "x", "--wait", "--capability", "fails", "--attempts", "2"];
    const { code, stderr } = await here(...args);
    expect(stderr).toContain("exit code 4: no luck");
    expect(code).toBe(1);
    // The peer may print its line after the mesh has reported the end.
    await eventually(
      () => peer.stdout.match(/failed: exit code 4: no luck/g)?.length === 2,
      () => `two failed attempts in: ${peer.stdout}`,
    );
    peer.child.kill("SIGINT");
    await peer.finished;
  });

  test("failed tasks are listed by their reason, and retried together", async () => {
    const broken = start(["join", "--kind", "mend", "--exec", "echo no disk 7 >&2; exit 4"], {
      cwd: started.dir,
    });
    await broken.waitForOutput(/joined/);
    await here("assign", "mend", "--wait", "--attempts", "1");
    const failures = await here("tasks", "failures", "--kind", "mend");
    expect(failures.stdout).toMatch(/1 +mend +failed +exit code <n>: no disk <n> +1 /);
    broken.child.kill("SIGINT");
    await broken.finished;

    const select = ["--kind", "mend", "--error", "No Disk"];
    const would = await here("tasks", "retry", ...select, "--dry-run");
    const [id = ""] = /[0-9a-f-]{36}/.exec(would.stdout) ?? [];
    expect(would.stdout).toBe(`1 task would be retried\n  ${id}\n`);
    expect((await here("tasks", "retry", ...select)).stderr).toContain("pass --yes, or --dry-run");
    const mended = start(["join", "--kind", "mend", "--exec", "cat"], { cwd: started.dir });
    await mended.waitForOutput(/joined/);
    expect((await here("tasks", "retry", ...select, "--yes")).stdout).toContain("1 task retried");
    const shown = await here("task", id, "--wait", "20");
    expect(shown.stdout).toMatch(/state +succeeded.*\nretries +1\n/);
    const listed = await here("tasks", "list", "--kind", "mend", "--json");
    expect(JSON.parse(listed.stdout)).toMatchObject([{ id, state: "succeeded", retries: 1 }]);
    mended.child.kill("SIGINT");
    await mended.finished;
  });

  test("canceling a task ends its program", async () => {
    const peer = start(["join", "--capability", "slow", "--exec", "sleep 60"], {
      cwd: started.dir,
    });
    await peer.waitForOutput(/joined/);
    const taskId = (await here("assign", "x", "--capability", "slow")).stdout.trim();
    await peer.waitForOutput(/started/);
    expect((await here("task", taskId, "--cancel")).stdout).toMatch(/state +cancelled/);
    await peer.waitForOutput(/cancelled/);
    peer.child.kill("SIGINT");
    expect((await peer.finished).code).toBe(0);
  });

  test("join --kind accepts only tasks of that kind", async () => {
    const peer = start(["join", "--capability", "kinds", "--kind", "good", "--exec", "cat"], {
      cwd: started.dir,
    });
    await peer.waitForOutput(/joined/);
    const bad = ["assign", "bad", "--capability", "kinds", "--wait", "--timeout", "1"];
    const waited = await here(...bad);
    expect(waited.code).toBe(1);
    expect(waited.stderr).toMatch(/queued: no connected peer handles bad; 1 handles good/);
    const good = await here("assign", "good", "1", "--capability", "kinds", "--wait");
    expect(good.stdout).toBe("1\n");
    peer.child.kill("SIGINT");
    await peer.finished;
  });

  test("join refuses a mesh with another key than --mesh-key", async () => {
    const { url } = started.mesh;
    const { code, stderr } = await here("join", url, "--mesh-key", "ab".repeat(32));
    expect(stderr).toMatch(/^muster: mesh_key_mismatch: /);
    expect(stderr).toContain("ab".repeat(32));
    expect(code).toBe(4);
  });
});

describe("the commands allow and disallow", () => {
  test("add a key to the allowlist and remove it", async () => {
    const { id, public_key } = await newKey("listed");
    const allowed = await here("allow", public_key, "--label", "a friend", "--role", "dual");
    expect(allowed).toMatchObject({ code: 0, stdout: `${id} may join as dual\n` });
    expect((await here("disallow", public_key)).code).toBe(0);
    const again = await here("disallow", public_key);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining("not_found") });
  });

  test("allow readmits a revoked key only with --readmit", async () => {
    const { id, public_key } = await newKey("barred");
    const peer = start(["join", "--key-file", "barred.json"], { cwd: started.dir });
    await peer.waitForOutput(/joined/);
    await here("revoke", id);
    expect((await peer.finished).code).toBe(4);
    expect((await here("allow", public_key)).code).toBe(1);
    expect((await here("allow", public_key, "--readmit")).code).toBe(0);
    const back = start(["join", "--key-file", "barred.json"], { cwd: started.dir });
    await back.waitForOutput(/joined/);
    back.child.kill("SIGTERM");
    expect((await back.finished).code).toBe(0);
  });
});

describe("the mesh that a command calls", () => {
  test("is the mesh of the state folder by default", async () => {
    const { stdout } = await here("mesh");
    expect(stdout).toContain(started.mesh.meshKey);
    const elsewhere = await muster(["mesh"], { cwd: "/" });
    expect(elsewhere).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/no mesh is selected; pass --url, --dir /),
    });
  });

  test("can be set in the environment", async () => {
    const { url: MUSTER_URL, adminToken: MUSTER_TOKEN } = started.mesh;
    const { code } = await muster(["peers"], { cwd: "/", env: { MUSTER_URL, MUSTER_TOKEN } });
    expect(code).toBe(0);
  });

  test("gets the token of the state folder only if it is the mesh of that folder", async () => {
    const seen: IncomingHttpHeaders[] = [];
    const otherServer = createServer((request, response) => {
      seen.push(request.headers);
      response.statusCode = 404;
      response.end();
    });
    await new Promise<void>((resolve) => void otherServer.listen(0, "127.0.0.1", resolve));
    const { port } = otherServer.address() as AddressInfo;
    const { code } = await here("peers", "--url", `http://127.0.0.1:${port}`);
    otherServer.close();
    expect(code).toBe(3);
    expect(seen).toHaveLength(1);
    expect(seen[0]).not.toHaveProperty("authorization");
  });

  test("refuses a wrong token, and the error says how to pass one", async () => {
    const { stderr } = await muster(["peers", "--token-file", "-"], {
      cwd: started.dir,
      input: "wrong\n",
    });
    expect(stderr).toMatch(
      /^muster: unauthorized: .*; pass a token with --token-file or MUSTER_TOKEN\n {2}`npx muster help unauthorized` explains it\n$/,
    );
  });

  test("does not answer, and the error says how to start one", async () => {
    const { code, stderr } = await here("mesh", "--url", "http://127.0.0.1:1");
    expect(stderr).toMatch(
      /^muster: unreachable: http:\/\/127.0.0.1:1\/ does not answer; .*\n {2}`npx muster help unreachable` explains it\n$/,
    );
    expect(code).toBe(3);
  });
});

describe("an invalid command line is refused in one line, with exit code 2:", () => {
  test.each([
    [["frobnicate"], 'unknown command "frobnicate"'],
    [["task"], "usage: npx muster task ID"],
    [["task", "a", "b"], 'unexpected argument "b"'],
    [["peers", "--nonsense"], "--nonsense"],
    [["peers", "--state", "asleep"], "--state must be one of discovered, active"],
    [["assign", "x", "{broken"], "PAYLOAD is not JSON: expected a key in double quotes"],
    [["assign", "x", "--attempts", "2.5"], "--attempts must be a whole number"],
    [["assign", "x", "--lease", "soon"], "--lease must be a number"],
    [["join", "mesh.example"], "must begin with http"],
    [["join", "--kind", "x"], "--kind needs --exec, --handler or --module"],
    [["join", "--drain-timeout", "86401"], "--drain-timeout must be at most 86400"],
    [["join", "--name", "<b>"], "name"],
    [["join", "--mesh-key", "abc"], "64 hex"],
    [["allow", "ab".repeat(32), "--role", "king"], "--role must be one of"],
    [["start", "--port", "99999"], "--port must be a whole number of at most 65535"],
    [["help", "frobnicate"], 'no command, action or code is called "frobnicate"'],
  ])("muster %j", async (args, says) => {
    const { code, stdout, stderr } = await here(...args);
    expect(stderr).toContain(says);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stdout).toBe("");
    expect(code).toBe(2);
  });

  test("join refuses a file that is not a key file", async () => {
    await writeFile(join(started.dir, "junk.json"), '{"private_key":"abcd"}', { mode: 0o600 });
    expect(await here("join", "--key-file", "junk.json")).toMatchObject({
      code: 2,
      stderr: "muster: junk.json is not a key file; create one with `npx muster keygen`\n",
    });
  });
});

test("`help COMMAND` and `COMMAND --help` print the same text", async () => {
  const described = await here("help", "join");
  expect(described).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("usage: npx muster join"),
  });
  expect(await here("join", "--help")).toEqual(described);
});
