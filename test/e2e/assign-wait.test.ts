import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { KillableMesh } from "./kill/killable-mesh.ts";
import { eventually, PROJECT, start, type MusterProcess } from "./processes.ts";

let dir: string;
let mesh: KillableMesh;
let peer: MusterProcess;
const release = (): string => join(dir, "release");

/** Begins `muster assign --wait` in the checkout, so that the commands that it prints work as they are. */
const assign = (...args: string[]): MusterProcess =>
  start(["assign", "slow", "--wait", "--dir", dir, ...args], { cwd: PROJECT });

/** Returns once the mesh knows the progress of two programs. */
const heardFromBoth = (): Promise<void> =>
  eventually(
    async () => {
      let count = 0;
      for await (const { message } of mesh.controller.tasks.list({ state: "running" }))
        if (message === "waiting") count++;
      return count === 2;
    },
    () => "the progress of both programs",
  );

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-wait-"));
  mesh = await KillableMesh.start(dir);
  const program = `echo "MUSTER_PROGRESS 40% waiting" >&2; until [ -e '${release()}' ]; do sleep 0.1; done; echo '"done"'`;
  const options = ["--dir", dir, "--slots", "4", "--no-hops", "--name", "w"];
  peer = start(["join", ...options, "--exec", program], { cwd: dir });
  await peer.waitForOutput(/joined/);
});
afterAll(async () => {
  // By SIGTERM it ends its programs, which would go on for ever if a test has failed.
  peer.child.kill("SIGTERM");
  await peer.finished;
  await mesh.stop();
  await rm(dir, { recursive: true, force: true });
});

describe("muster assign --wait", () => {
  test("CL74 goes on across an outage that began before the task was submitted, and gives the mesh one task", async () => {
    await mesh.kill();
    const waiting = start(["assign", "quick", '"x"', "--wait", "--dir", dir], { cwd: PROJECT });
    await waiting.waitForOutput(/the mesh does not answer; the task is submitted again for 5 min/);
    await mesh.restart();
    await waiting.waitForOutput(/running|queued/);
    await writeFile(release(), "");
    expect(await waiting.finished).toMatchObject({ code: 0, stdout: '"done"\n' });
    const given = await mesh.controller.tasks.list({ kind: "quick" }).toArray();
    expect(given).toHaveLength(1);
    await rm(release());
  });

  test("CL57 stopped by SIGINT prints commands that go on, and they work", async () => {
    const waiting = assign();
    await waiting.waitForOutput(/running {2}at w/);
    waiting.child.kill("SIGINT");
    const { code, stderr, stdout } = await waiting.finished;
    expect([code, stdout]).toEqual([130, ""]);
    const [, id = ""] = /^task ([0-9a-f-]{36}) goes on without this command$/m.exec(stderr) ?? [];
    expect(id).not.toBe("");
    const [, cancel = ""] = /^ {2}cancel it: +(npx muster .*)$/m.exec(stderr) ?? [];
    await promisify(execFile)("sh", ["-c", cancel], { cwd: PROJECT });
    const [, follow = ""] = /^ {2}wait for it again: +(npx muster .*)$/m.exec(stderr) ?? [];
    const followed = await promisify(execFile)("sh", ["-c", follow], { cwd: PROJECT }).catch(
      (error: unknown) => error as { readonly stdout: string; readonly code: number },
    );
    expect(followed).toMatchObject({ code: 1, stdout: expect.stringContaining("cancelled") });
  });

  test("CL56 CL57 shows the progress of the program, and goes on across a restart of the mesh", async () => {
    const [plain, json] = [assign(), assign("--json")];
    await plain.waitForOutput(/^\d+:\d\d {2}running {2}at w/m);
    await heardFromBoth();
    await mesh.kill();
    await mesh.restart();
    // A peer says the progress again when it returns, unless the program has ended before.
    await heardFromBoth();
    await writeFile(release(), "");
    expect(await plain.finished).toMatchObject({ code: 0, stdout: '"done"\n' });
    const ended = await json.finished;
    expect([ended.code, ended.stderr]).toEqual([0, ""]);
    const task = JSON.parse(ended.stdout) as { progress: number; attempts: object[] };
    expect(task).toMatchObject({ state: "succeeded", result: "done", message: "waiting" });
  });
});
