import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { execHandler, type ExecOptions } from "../../../src/cli/exec/exec-handler.ts";
import { JsonText, type Json } from "../../../src/client/index.ts";
import { eventually, isRunning } from "../../e2e/processes.ts";
import { wire } from "../../wire.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-exec-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const never = new AbortController().signal;

const context = () => ({
  taskId: "task-1",
  payloadText: "null",
  kind: "work",
  attempt: 2,
  fence: 7,
  signal: never,
  progress: () => {},
});

interface RunOptions extends ExecOptions {
  readonly signal?: AbortSignal;
  readonly progress?: (fraction?: number, message?: string) => void;
}

/** Runs a command as the handler of a task. */
const run = async (
  command: string,
  payload: Json = null,
  { signal = never, progress = () => {}, ...options }: RunOptions = {},
) =>
  wire(
    await execHandler(command, options)(payload, {
      ...context(),
      payloadText: JSON.stringify(payload),
      signal,
      progress,
    }),
  );

test("CL50 the program reads the payload as JSON from stdin, and JSON on stdout is the result", async () => {
  expect(await run("cat", { a: [1, "é"] })).toEqual({ a: [1, "é"] });
});

test("CL50 output that is not JSON becomes a text result", async () => {
  expect(await run("printf 'two words\\n'")).toBe("two words\n");
});

test("CL50 the environment of the program names the task, its kind, the attempt and its fence", async () => {
  const names = ["ID", "KIND", "ATTEMPT", "FENCE"].map((name) => `"$MUSTER_TASK_${name}"`);
  expect(await run(`printf '%s %s %s %s' ${names.join(" ")}`)).toBe("task-1 work 2 7");
});

test("TR6 the environment of the program names the trace of the task, and none that the peer was started in", async () => {
  const trace = {
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    tracestate: "vendor=value",
  };
  const shown = `printf '"%s %s %s"' "$TRACEPARENT" "$MUSTER_TRACEPARENT" "$TRACESTATE"`;
  process.env["TRACEPARENT"] = "the peer's";
  process.env["TRACESTATE"] = "the peer's";
  try {
    const traced = await execHandler(shown)(null, { ...context(), ...trace });
    expect(wire(traced)).toBe(`${trace.traceparent} ${trace.traceparent} ${trace.tracestate}`);
    expect(await run(shown)).toBe("  ");
  } finally {
    delete process.env["TRACEPARENT"];
    delete process.env["TRACESTATE"];
  }
});

test("the environment of the program does not contain the token of the operator", async () => {
  process.env["MUSTER_TOKEN"] = "secret";
  try {
    expect(await run(`printf '"%s"' "$MUSTER_TOKEN"`)).toBe("");
  } finally {
    delete process.env["MUSTER_TOKEN"];
  }
});

test("CL50 a non-zero exit code fails the attempt, with the end of stderr as the error", async () => {
  await expect(run("echo no disk >&2; exit 3")).rejects.toThrow("exit code 3: no disk");
  await expect(run("yes x | head -c 5000 >&2; exit 1")).rejects.toThrow(
    /^exit code 1: (x\n){499}x$/,
  );
});

test("CL68 a program says on stderr that another attempt would fail, too", async () => {
  const failure = (command: string) =>
    run(command).then(
      (result: unknown) => ({ result }),
      (error: Error & { retry?: boolean }) => ({ message: error.message, retry: error.retry }),
    );
  expect(
    await failure("echo MUSTER_NO_RETRY no such image >&2; echo a detail >&2; exit 3"),
  ).toEqual({
    message: "exit code 3: no such image",
    retry: false,
  });
  expect(await failure("echo a detail >&2; echo MUSTER_NO_RETRY >&2; exit 3")).toEqual({
    message: "exit code 3: a detail",
    retry: false,
  });
  expect(await failure("echo MUSTER_NO_RETRY >&2; kill -9 $$")).toEqual({
    message: "killed by SIGKILL",
    retry: false,
  });
  expect(await failure("echo a detail >&2; exit 65")).toEqual({
    message: "exit code 65: a detail",
    retry: true,
  });
  // A program that succeeds has a result, whatever it has written before.
  expect(await failure("echo MUSTER_NO_RETRY >&2; echo 1")).toEqual({ result: 1 });
});

test("CL50 a program that a signal ends fails the attempt", async () => {
  await expect(run("kill -9 $$")).rejects.toThrow("killed by SIGKILL");
});

test("CL50 a program that the shell does not find, or can't run, is told as that", async () => {
  await expect(run("/nowhere/program")).rejects.toThrow(
    /^exit code 127 \(the shell does not find the program\): .*\/nowhere\/program: not found$/,
  );
  await writeFile(join(dir, "no-program"), "echo 1", { mode: 0o644 });
  await expect(run(`'${dir}/no-program'`)).rejects.toThrow(
    /^exit code 126 \(the shell cannot run the program\): .*Permission denied$/,
  );
});

test("CL50 a program that the system can't start fails the attempt with the system's reason", async () => {
  // More than a process may have as its arguments.
  await expect(run(`echo ${"x".repeat(4_000_000)}`)).rejects.toThrow(
    "the system cannot start the program (E2BIG)",
  );
});

test.each(["1.0", "12345678901234567890", "[1E5,0.10]", ' {"a": 1}\n', "null", '"text"'])(
  "CL50 JSON on stdout is the result as it is written: %j",
  async (json) => {
    const result = await execHandler(`printf '%s' '${json}'`)(null, context());
    expect(result).toEqual(new JsonText(json.trim()));
  },
);

test("CL50 the program reads the payload as it was submitted", async () => {
  const payloadText = '{"n": 1.0, "id": 12345678901234567890}';
  const result = await execHandler("cat")(null, { ...context(), payloadText });
  expect(result).toEqual(new JsonText(payloadText));
});

test("CL50 a program that closes its stdin early, or all its pipes, is judged by its exit code", async () => {
  expect(await run("exec <&-; sleep 0.2; echo 1", "x".repeat(2_000_000))).toBe(1);
  expect(await run("exec <&- >&- 2>&-; sleep 0.2", "x".repeat(2_000_000))).toBe("");
  await expect(run("exec <&- >&- 2>&-; sleep 0.2; exit 9")).rejects.toThrow(/^exit code 9$/);
});

test("CL52 lines of stderr report progress while the program runs, and are no part of the error", async () => {
  const reported: unknown[] = [];
  const seen = join(dir, "seen");
  const progress = (...report: unknown[]): void => {
    reported.push(report);
    if (report[1] === "fetching") void writeFile(seen, "");
  };
  const command = `echo one >&2; echo "MUSTER_PROGRESS 10% fetching" >&2; until [ -e '${seen}' ]; do sleep 0.02; done; printf 'MUSTER_PROGRESS 1' >&2; exit 5`;
  await expect(run(command, null, { progress })).rejects.toThrow(/^exit code 5: one$/);
  expect(reported).toEqual([
    [0.1, "fetching"],
    [1, undefined],
  ]);
});

test("CL52 a malformed progress line is told once for all tasks of a program", async () => {
  const told: string[] = [];
  const handler = execHandler("echo MUSTER_PROGRESS half >&2; echo MUSTER_PROGRESS 2 >&2", {
    onMalformedProgress: (line) => void told.push(line),
  });
  await handler(null, context());
  await handler(null, context());
  expect(told).toEqual(["MUSTER_PROGRESS half"]);
});

test("CL51 output above the size limit of results fails the attempt without a retry", async () => {
  await expect(run("yes")).rejects.toMatchObject({
    name: "TaskError",
    retry: false,
    message: "the program wrote more than 26214400 bytes",
  });
});

test("CL51 output that is not UTF-8 fails the attempt without a retry", async () => {
  await expect(run("printf '\\377'")).rejects.toMatchObject({ name: "TaskError", retry: false });
});

test("CL50 a program need not read its payload", async () => {
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

test("CL53 canceling a task ends the program and every process that it started", async () => {
  const abort = new AbortController();
  const running = run(`${stubbornChild()} wait`, null, { signal: abort.signal, killAfterMs: 100 });
  const pid = await childPid();
  expect(await isRunning(pid)).toBe(true);
  abort.abort();
  await expect(running).rejects.toThrow(/killed by|exit code/);
  await expectEnded(pid);
});

test("CL53 a background process of the program does not delay the result, and is ended", async () => {
  const waitForPid = `until [ -s "${pidFile()}" ]; do sleep 0.05; done`;
  expect(await run(`${stubbornChild()} ${waitForPid}; echo '"done"'`)).toBe("done");
  await expectEnded(await childPid());
});

/** A program that says when it is ready, and writes a file on SIGTERM; below a shell that has no trap, and beside another child. */
const tidyProgram = (): string =>
  `sh -c 'trap "echo tidy > ${dir}/tidied; exit 0" TERM; echo $$ > "${pidFile()}"; while :; do sleep 0.05; done' & wait; echo never`;

test("CL53 canceling a task sends SIGTERM to every process of the program, and each has its time to end", async () => {
  const abort = new AbortController();
  const running = run(tidyProgram(), null, { signal: abort.signal, killAfterMs: 60_000 });
  const pid = await childPid();
  abort.abort();
  await expect(running).rejects.toThrow(/killed by SIGTERM/);
  expect(await readFile(join(dir, "tidied"), "utf8")).toBe("tidy\n");
  expect(await isRunning(pid)).toBe(false);
});

test("CL53 a program that ignores SIGTERM is killed, with what it has started, before its slot is free", async () => {
  const abort = new AbortController();
  const command = `trap "" TERM; ${stubbornChild()} while :; do sleep 0.05; done`;
  const running = run(command, null, { signal: abort.signal, killAfterMs: 100 });
  const pid = await childPid();
  abort.abort();
  await expect(running).rejects.toThrow("killed by SIGKILL");
  expect(await isRunning(pid)).toBe(false);
});

test("CL53 a program whose task is canceled while it starts is ended", async () => {
  const abort = new AbortController();
  const running = run("sleep 600", null, { signal: abort.signal, killAfterMs: 100 });
  abort.abort();
  await expect(running).rejects.toThrow(/killed by/);
});
