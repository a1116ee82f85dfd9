import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { execHandler } from "../../src/cli/exec.ts";
import type { Json } from "../../src/client/index.ts";
import { eventually, isRunning } from "../e2e/processes.ts";
import { wire } from "../wire.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-exec-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const never = new AbortController().signal;

/** Runs a command as the handler of a task. */
const run = async (command: string, payload: Json = null, signal = never) =>
  wire(
    await execHandler(command)(payload, {
      taskId: "task-1",
      payloadText: JSON.stringify(payload),
      kind: "work",
      attempt: 2,
      signal,
      progress: () => {},
    }),
  );

test("the program reads the payload as JSON from stdin, and JSON on stdout is the result", async () => {
  expect(await run("cat", { a: [1, "é"] })).toEqual({ a: [1, "é"] });
});

test("output that is not JSON becomes a text result", async () => {
  expect(await run("printf 'two words\\n'")).toBe("two words\n");
});

test("the environment of the program names the task, its kind and the attempt", async () => {
  const command = `printf '"%s %s %s"' "$MUSTER_TASK_ID" "$MUSTER_TASK_KIND" "$MUSTER_TASK_ATTEMPT"`;
  expect(await run(command)).toBe("task-1 work 2");
});

test("the environment of the program does not contain the token of the operator", async () => {
  process.env["MUSTER_TOKEN"] = "secret";
  try {
    expect(await run(`printf '"%s"' "$MUSTER_TOKEN"`)).toBe("");
  } finally {
    delete process.env["MUSTER_TOKEN"];
  }
});

test("a non-zero exit code fails the attempt, with the end of stderr as the error", async () => {
  await expect(run("echo no disk >&2; exit 3")).rejects.toThrow("exit code 3: no disk");
  await expect(run("yes x | head -c 5000 >&2; exit 1")).rejects.toThrow(
    /^exit code 1: (x\n){499}x$/,
  );
});

test("a program that a signal ends fails the attempt", async () => {
  await expect(run("kill -9 $$")).rejects.toThrow("killed by SIGKILL");
});

test("a program that does not exist fails the attempt", async () => {
  await expect(run("/nowhere/program")).rejects.toThrow(/^exit code 127/);
});

test("output above the size limit of results fails the attempt without a retry", async () => {
  await expect(run("yes")).rejects.toMatchObject({
    name: "TaskError",
    retry: false,
    message: "the program wrote more than 26214400 bytes",
  });
});

test("output that is not UTF-8 fails the attempt without a retry", async () => {
  await expect(run("printf '\\377'")).rejects.toMatchObject({ name: "TaskError", retry: false });
});

test("a program need not read its payload", async () => {
  expect(await run("echo 1", "x".repeat(200_000))).toBe(1);
});

/** A shell command that starts a process in the background; it ignores SIGTERM, runs for ten minutes and writes its PID to `pidFile`. */
const stubbornChild = (): string =>
  `sh -c 'trap "" TERM; echo $$ > "${pidFile()}"; exec sleep 600' &`;

const pidFile = (): string => join(dir, "pid");

/** Waits until the child has written its PID. */
async function childPid(): Promise<number> {
  let pid = 0;
  await eventually(
    async () => {
      pid = Number(await readFile(pidFile(), "utf8").catch(() => ""));
      return pid > 0;
    },
    () => "the PID of the child",
  );
  return pid;
}

const expectEnded = (pid: number): Promise<void> =>
  eventually(
    async () => !(await isRunning(pid)),
    () => `the end of process ${pid}`,
  );

test("canceling a task ends the program and every process that it started", async () => {
  const abort = new AbortController();
  const running = run(`${stubbornChild()} wait`, null, abort.signal);
  const pid = await childPid();
  expect(await isRunning(pid)).toBe(true);
  abort.abort();
  await expect(running).rejects.toThrow(/killed by|exit code/);
  await expectEnded(pid);
});

test("a background process of the program does not delay the result, and is ended", async () => {
  const waitForPid = `until [ -s "${pidFile()}" ]; do sleep 0.05; done`;
  expect(await run(`${stubbornChild()} ${waitForPid}; echo '"done"'`)).toBe("done");
  await expectEnded(await childPid());
});
