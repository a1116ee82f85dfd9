import { createHmac } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startMesh } from "../../server/mesh-process.ts";
import type { MeshProcess } from "../../src/cli/server-module.ts";
import type { WatchEvent } from "../../src/cli/webhooks/delivery-watch.ts";
import { controller } from "../../src/client/index.ts";
import { testMesh, type TestMesh } from "./mesh.ts";
import { eventually, muster, start, type ExitResult, type RunOptions } from "./processes.ts";

let started: TestMesh;
beforeAll(async () => {
  started = await testMesh();
});
// Undefined when the start failed.
afterAll(() => (started as TestMesh | undefined)?.stop());

const webhook = (args: readonly string[], options: RunOptions = {}): Promise<ExitResult> =>
  muster(["webhook", ...args], { cwd: started.dir, ...options });
const json = async (...args: string[]): Promise<Record<string, unknown>> =>
  JSON.parse((await webhook([...args, "--json"])).stdout) as Record<string, unknown>;
const path = (name: string): string => join(started.dir, name);

/** Sends a delivery as GitHub does. Without a secret it has no signature. */
async function github(url: string, secret: string | null, event: unknown): Promise<number> {
  const body = JSON.stringify(event);
  const signature = createHmac("sha256", secret ?? "")
    .update(body)
    .digest("hex");
  const response = await fetch(url, {
    method: "POST",
    body,
    headers: {
      "content-type": "application/json",
      "user-agent": "GitHub-Hookshot/044aadd",
      "x-github-event": "push",
      ...(secret !== null && { "x-hub-signature-256": `sha256=${signature}` }),
    },
  });
  await response.body?.cancel();
  return response.status;
}

describe("muster webhook create", () => {
  test("CL26 CL27 makes a secret, and prints it once with the URL and what to enter at GitHub", async () => {
    const { code, stdout, stderr } = await webhook([
      ..."create ci --scheme github --kind build --filter header:x-github-event=push".split(" "),
      "--payload",
      '{"commit":"$.after"}',
    ]);
    expect(code).toBe(0);
    const [, url = ""] = /^URL +(\S+)$/m.exec(stdout) ?? [];
    const [, secret = ""] = /^secret +(\S+) /m.exec(stdout) ?? [];
    expect(url).toBe(`${started.mesh.url}/v1/webhooks/ci`);
    expect(stdout).toMatch(/Payload URL +http/);
    expect(stdout).toMatch(/Content type +application\/json/);
    expect(stdout).toContain("npx muster webhook listen ci");
    expect(stderr).toContain("this URL leads to this machine");
    expect(await github(url, secret, { after: "abc" })).toBe(202);
    for (const args of [["show", "ci"], ["list"], ["update", "ci", "--kind", "build"]])
      expect((await webhook(args)).stdout).not.toContain(secret);
  });

  test("CL26 writes the secret that it makes to a new file that only its owner can read", async () => {
    const create = ["create", "private", "--scheme", "github", "--kind", "a", "--out", "ci.secret"];
    const { code, stdout } = await webhook(create);
    expect(code).toBe(0);
    const secret = (await readFile(path("ci.secret"), "utf8")).trim();
    expect((await stat(path("ci.secret"))).mode & 0o777).toBe(0o600);
    expect(stdout).not.toContain(secret);
    const again = await webhook(create.with(1, "second"));
    expect(again).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("ci.secret exists already"),
    });
    expect((await webhook(["show", "second"])).code).toBe(1);
  });

  test("CL26 takes a secret from a file, stdin or the environment, and shows it nowhere", async () => {
    const secret = "a secret, with spaces and ünicode";
    await writeFile(path("given.secret"), `${secret}\n`, { mode: 0o600 });
    const create = (name: string) => ["create", name, "--scheme", "github", "--kind", "a"];
    const outputs = [
      await webhook([...create("by-file"), "--secret-file", "given.secret"]),
      await webhook([...create("by-stdin"), "--secret-file", "-"], { input: secret }),
      await webhook(create("by-env"), { env: { MUSTER_WEBHOOK_SECRET: secret } }),
    ];
    for (const { code, stdout, stderr } of outputs) {
      expect(code).toBe(0);
      expect(stdout + stderr).not.toContain(secret);
    }
    for (const name of ["by-file", "by-stdin", "by-env"])
      expect(await github(`${started.mesh.url}/v1/webhooks/${name}`, secret, {})).toBe(202);
    const short = await webhook([...create("short"), "--secret-file", "-"], { input: "hunter2" });
    expect(short).toMatchObject({ code: 2, stderr: expect.stringContaining("has 7 characters") });
    expect(short.stderr).not.toContain("hunter2");
  });

  test("CL26 says where Stripe shows the secret, and to which URL the endpoint must lead", async () => {
    const { code, stderr } = await webhook(["create", "pay", "--scheme", "stripe", "--kind", "a"]);
    expect(code).toBe(2);
    expect(stderr).toContain("Stripe makes the secret");
    expect(stderr).toContain(`${started.mesh.url}/v1/webhooks/pay`);
  });

  test("CL25 refuses a name that exists, and update keeps what no option names", async () => {
    const created = await json(
      "create",
      "kept",
      "--scheme",
      "github",
      "--kind",
      "a",
      "--priority",
      "2",
    );
    const secret = String(created["secret"]);
    const again = await webhook(["create", "kept", "--scheme", "github", "--kind", "b"]);
    expect(again.stderr).toContain("muster webhook update kept");
    const updated = await json("update", "kept", "--filter", "$.ref~refs/*");
    expect(updated).toMatchObject({
      scheme: "github",
      task: { kind: "a", priority: 2 },
      filters: [{ path: "$.ref", matches: "refs/*" }],
    });
    const url = String(created["url"]);
    expect(await github(url, secret, { ref: "refs/heads/main" })).toBe(202);
    const { secret: next } = await json("update", "kept", "--generate-secret");
    expect(await github(url, secret, { ref: "refs/2" })).toBe(401);
    expect(await github(url, String(next), { ref: "refs/3" })).toBe(202);
    const invalid = await webhook(["update", "kept", "--payload", '{"a":"$..x"}']);
    expect(invalid).toMatchObject({ code: 2, stderr: expect.stringContaining("task.payload.a") });
    expect((await webhook(["delete", "kept"])).stdout).toBe("the webhook source kept is removed\n");
    expect((await webhook(["show", "kept"])).code).toBe(1);
  });
});

describe("muster webhook refused", () => {
  test("WH60 shows what was refused, from where, and what to do", async () => {
    const { url } = await json("create", "shut", "--scheme", "github", "--kind", "a");
    expect((await webhook(["refused", "shut"])).stdout).toBe("no refused deliveries\n");
    expect(await github(String(url), null, { a: 1 })).toBe(401);
    expect(await github(String(url), "a secret of someone else", { a: 1 })).toBe(401);
    await eventually(
      async () => (await webhook(["refused", "shut"])).stdout.includes("signature_invalid"),
      () => "the refused delivery",
    );
    const { stdout } = await webhook(["refused", "shut"]);
    expect(stdout).toMatch(/401 signature_missing$/m);
    expect(stdout).toMatch(/POST from 127\.0\.0\.1, 7 bytes/);
    expect(stdout).toContain("x-github-event: push");
    expect(stdout).toContain("x-hub-signature-256: [71 characters]");
    expect(stdout).toMatch(/What to do:\n.*signature_/);
    expect(stdout).toContain("muster webhook update shut --secret-file FILE");
  });
});

/** Starts the mesh again on its port and with its data. */
const restarted = (dir: string, mesh: MeshProcess): Promise<MeshProcess> =>
  startMesh({ dir: join(dir, ".muster"), port: Number(new URL(mesh.url).port), variables: {} });

describe("muster webhook listen", () => {
  test("CL28 shows what arrives, also across a restart of the mesh, and each of it once", async () => {
    const own = await testMesh();
    const options = { cwd: own.dir };
    const create = ["webhook", "create", "ci", "--scheme", "github", "--kind", "build", "--json"];
    const created = JSON.parse((await muster(create, options)).stdout) as Record<string, string>;
    const { url = "", secret = "" } = created;
    const filter = ["webhook", "update", "ci", "--filter", "$.wanted=true"];
    expect((await muster(filter, options)).code).toBe(0);
    expect(await github(url, secret, { before: "the start", wanted: true })).toBe(202);

    const listener = start(["webhook", "listen", "ci", "--json"], options);
    const text = start(["webhook", "listen", "ci"], options);
    let { mesh } = own;
    try {
      await Promise.all([listener, text].map((each) => each.waitForOutput(/Ctrl-C stops/)));
      expect(await github(url, secret, { n: 1, wanted: true })).toBe(202);
      expect(await github(url, secret, { n: 2 })).toBe(202);
      expect(await github(url, null, { n: 3 })).toBe(401);
      await Promise.all([listener, text].map((each) => each.waitForOutput(/signature_missing/)));
      await listener.waitForOutput(/"outcome":"filtered"/);

      await mesh.stop();
      await listener.waitForOutput(/trying again/);
      mesh = await restarted(own.dir, mesh);
      expect(await github(url, secret, { n: 4, wanted: true })).toBe(202);
      await listener.waitForOutput(/answers again/);
      const events = (): WatchEvent[] =>
        listener.stdout
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line) as WatchEvent);
      const accepted = () =>
        events().flatMap((each) =>
          each.type === "delivery" && each.outcome === "task" ? [each] : [],
        );
      await eventually(
        () => accepted().length >= 2,
        () => listener.stdout,
      );
      expect(accepted().map(({ kind }) => kind)).toEqual(["build", "build"]);
      const control = controller({ url: mesh.url, token: mesh.adminToken });
      await control.tasks.cancel(String(accepted()[1]?.task_id));
      await listener.waitForOutput(/task_ended/);
      await sleep(3_000); // what is repeated would be repeated by now
      expect(events().map((each) => (each.type === "delivery" ? each.outcome : each.type))).toEqual(
        ["task", "filtered", "refused", "task", "task_ended"],
      );
      await text.waitForOutput(/cancelled +task/);
      expect(text.stdout).toMatch(/^\S+Z {2}accepted +task [0-9a-f-]{36} build$/m);
      expect(text.stdout).toMatch(/^\S+Z {2}filtered +filters\.0/m);
      expect(text.stdout).toMatch(/^\S+Z {2}refused +401 signature_missing from 127\.0\.0\.1: /m);
      for (const each of [listener, text]) {
        each.child.kill("SIGINT");
        expect((await each.finished).code).toBe(0);
      }
    } finally {
      for (const each of [listener, text]) each.child.kill("SIGKILL");
      await mesh.stop();
      await own.stop();
    }
  });

  test("CL28 ends with an error if the source does not exist, or is removed", async () => {
    const none = await webhook(["listen", "nobody"]);
    expect(none).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("there is no webhook source"),
    });
    await webhook(["create", "short-lived", "--scheme", "github", "--kind", "a"]);
    const listener = start(["webhook", "listen", "short-lived"], { cwd: started.dir });
    await listener.waitForOutput(/Ctrl-C stops/);
    await webhook(["delete", "short-lived"]);
    expect(await listener.finished).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("the webhook source short-lived was removed"),
    });
  });
});

describe("lists for the operator", () => {
  test("`allowlist` lists what `allow` added, and `tasks list` selects by source and peer", async () => {
    const key = "09".padEnd(64, "0");
    expect((await muster(["allowlist"], { cwd: started.dir })).stdout).toContain("no key is on");
    await muster(["allow", key, "--label", "the lab"], { cwd: started.dir });
    const { stdout } = await muster(["allowlist", "list"], { cwd: started.dir });
    expect(stdout).toMatch(new RegExp(`the lab +worker .*${key}`));
    const { url, secret } = await json("create", "lists", "--scheme", "github", "--kind", "listed");
    expect(await github(String(url), String(secret), {})).toBe(202);
    const listed = async (...args: string[]) =>
      (await muster(["tasks", "list", ...args], { cwd: started.dir })).stdout;
    expect(await listed("--source", "webhook:lists")).toMatch(/listed +queued/);
    expect(await listed("--source", "api")).toBe("no tasks\n");
    expect(await listed("--source", "webhook:lists", "--peer", "ab".repeat(16))).toBe("no tasks\n");
  });
});
