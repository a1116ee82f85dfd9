import { createHmac } from "node:crypto";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { controller } from "../../src/client/index.ts";
import { testMesh, type TestMesh } from "./mesh.ts";
import { eventually, PROJECT } from "./processes.ts";

let started: TestMesh;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  started = await testMesh();
  // `npx muster` as in a folder where it is installed.
  const bin = join(started.dir, "bin");
  await mkdir(bin);
  const main = join(PROJECT, "src/cli/main.ts");
  await writeFile(
    join(bin, "npx"),
    `#!/bin/sh\nshift\nexec "${process.execPath}" "${main}" "$@"\n`,
  );
  await chmod(join(bin, "npx"), 0o755);
  const { MUSTER_URL: _url, MUSTER_TOKEN: _token, ...rest } = process.env;
  env = {
    ...rest,
    NO_COLOR: "1",
    PATH: `${bin}:${rest["PATH"] ?? ""}`,
    XDG_CONFIG_HOME: started.dir,
  };
});
// Undefined when the start failed.
afterAll(() => (started as TestMesh | undefined)?.stop());

/** The commands of the first block of README's section on webhooks, each with its continuation lines. */
async function readmeCommands(): Promise<readonly string[]> {
  const readme = await readFile(join(PROJECT, "README.md"), "utf8");
  const section = readme.slice(readme.indexOf("\n## Webhooks and callbacks"));
  const [, block = ""] = /```sh\n(.*?)```/s.exec(section) ?? [];
  return block.trim().replaceAll("\\\n", " ").split("\n");
}

const shell = (command: string) =>
  promisify(execFile)("sh", ["-c", command], { cwd: started.dir, env });

/** What GitHub sends: https://docs.github.com/en/webhooks/webhook-events-and-payloads. */
async function fromGithub(url: string, secret: string, event: string, payload: object) {
  const body = JSON.stringify(payload);
  const sign = (hash: string) => createHmac(hash, secret).update(body).digest("hex");
  const response = await fetch(url, {
    method: "POST",
    body,
    headers: {
      accept: "*/*",
      "content-type": "application/json",
      "user-agent": "GitHub-Hookshot/044aadd",
      "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
      "x-github-event": event,
      "x-github-hook-id": "292430182",
      "x-github-hook-installation-target-id": "79929171",
      "x-github-hook-installation-target-type": "repository",
      "x-hub-signature": `sha1=${sign("sha1")}`,
      "x-hub-signature-256": `sha256=${sign("sha256")}`,
    },
  });
  return { status: response.status, text: await response.text() };
}

const REPOSITORY = {
  id: 186853002,
  name: "Hello-World",
  full_name: "Codertocat/Hello-World",
  private: false,
  owner: { login: "Codertocat", id: 21031067, type: "User" },
};
const PING = {
  zen: "Non-blocking is better than blocking.",
  hook_id: 292430182,
  hook: {
    type: "Repository",
    id: 292430182,
    name: "web",
    active: true,
    events: ["push"],
    config: { content_type: "json", insecure_ssl: "0", url: "https://mesh.example/v1/webhooks/ci" },
  },
  repository: REPOSITORY,
  sender: { login: "Codertocat", id: 21031067 },
};
const AFTER = "6113728f27ae82c7b1a177c8d03f9e96e0adf246";
const PUSH = {
  ref: "refs/heads/main",
  before: "0000000000000000000000000000000000000000",
  after: AFTER,
  repository: REPOSITORY,
  pusher: { name: "Codertocat", email: "21031067+Codertocat@users.noreply.github.com" },
  sender: { login: "Codertocat", id: 21031067 },
  created: false,
  deleted: false,
  forced: false,
  compare: "https://github.com/Codertocat/Hello-World/compare/000000000000...6113728f27ae",
  commits: [{ id: AFTER, message: "Line one\nLine two", distinct: true }],
  head_commit: { id: AFTER, message: "Line one\nLine two", distinct: true },
};

test("CL27 README's commands create a source that takes GitHub's ping and makes a push a task", async () => {
  const [create = "", listen = "", refused = "", ...others] = await readmeCommands();
  expect(others).toEqual([]);
  const { stdout } = await shell(create);
  const [, url = ""] = /Payload URL +(\S+)/.exec(stdout) ?? [];
  const secret = (await readFile(join(started.dir, "ci.secret"), "utf8")).trim();

  const listener: ChildProcess = spawn("sh", ["-c", `exec ${listen}`], { cwd: started.dir, env });
  let shown = "";
  for (const stream of [listener.stdout, listener.stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => (shown += text));
  const showsIt = (pattern: RegExp) =>
    eventually(
      () => pattern.test(shown),
      () => `${pattern} in: ${shown}`,
    );
  try {
    await showsIt(/Ctrl-C stops/);
    expect((await fromGithub(url, secret, "ping", PING)).status).toBe(200);
    expect(await fromGithub(url, secret, "issues", { ...PUSH, after: null })).toMatchObject({
      status: 202,
    });
    const pushed = await fromGithub(url, secret, "push", PUSH);
    expect(pushed.status).toBe(202);
    const control = controller({ url: started.mesh.url, token: started.mesh.adminToken });
    const { task_id: id } = JSON.parse(pushed.text) as { task_id: string };
    expect(await control.tasks.get(id)).toMatchObject({
      kind: "build",
      payload: { repo: "Codertocat/Hello-World", commit: AFTER },
      source: "webhook:ci",
    });
    expect(await control.tasks.list({ source: "webhook:ci" }).toArray()).toHaveLength(1);
    await showsIt(/ping/);
    await showsIt(/filtered/);
    await showsIt(new RegExp(`accepted +task ${id} build`));

    expect((await shell(refused)).stdout).toBe("no refused deliveries\n");
    expect((await fromGithub(url, "another secret of GitHub", "push", PUSH)).status).toBe(401);
    await showsIt(/refused +401 signature_invalid/);
    expect((await shell(refused)).stdout).toContain("x-github-event: push");
  } finally {
    const ended = new Promise((resolve) => listener.once("close", resolve));
    listener.kill("SIGINT");
    await ended;
  }
});
