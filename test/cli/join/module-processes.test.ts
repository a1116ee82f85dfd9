import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { moduleProcesses } from "../../../src/cli/join/module-processes.ts";
import { ThreadPool } from "../../../src/client/threads/thread-pool.ts";
import type { Handlers } from "../../../src/client/work/handler.ts";
import { runToOutcome } from "../../../src/client/work/attempt-outcome.ts";
import { eventually, isRunning } from "../../e2e/processes.ts";
import { wire } from "../../wire.ts";

/** Ways to fill a heap. The last three pass any limit in one step of the runtime, which ends the whole process. */
const HANDLERS = `
const keep = [];
export const handlers = {
  echo: (payload) => payload,
  pid: () => process.pid,
  objects: () => { for (;;) keep.push({ a: [keep.length] }); },
  strings: () => { for (;;) keep.push("x".repeat(1_000) + keep.length); },
  arrays: () => { for (;;) keep.push(new Array(1e6).fill(1.5)); },
  map: () => { const map = new Map(); for (let i = 0; ; i++) map.set(i, { i }); },
  split: () => { for (;;) keep.push("x,".repeat(5e6).split(",")); },
  large: () => new Array(5e7).fill(0).map((_, i) => ({ i })).length,
  kill: () => process.kill(process.pid, "SIGKILL"),
  exit: () => process.exit(3),
};`;

let dir: string;
let pool: ThreadPool;
let handlers: Handlers;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-module-"));
  const file = join(dir, "handlers.mjs");
  await writeFile(file, HANDLERS);
  pool = new ThreadPool({
    module: pathToFileURL(file).href,
    spawn: moduleProcesses(64),
    size: 1,
  });
  handlers = await pool.load();
});
afterAll(async () => {
  pool.stop();
  await rm(dir, { recursive: true, force: true });
});

async function run(kind: string, payload: unknown = null) {
  const context = {
    taskId: "t",
    kind,
    payloadText: JSON.stringify(payload),
    attempt: 1,
    fence: 1,
    signal: new AbortController().signal,
    progress: () => undefined,
  };
  return wire(await runToOutcome(() => handlers[kind]?.(payload, context)));
}

describe("CL54 the handlers of a module", () => {
  test.each(["objects", "strings", "arrays", "map", "split", "large"])(
    "that fill their heap fail their task, and the next one is done: %s",
    async (kind) => {
      expect(await run(kind)).toEqual({
        ok: false,
        error: "the thread that ran the handler ran out of memory",
        retry: true,
      });
      expect(await run("echo", [kind])).toEqual({ ok: true, result: [kind] });
    },
  );

  test.each([
    ["kill", "was ended by SIGKILL"],
    ["exit", "exited with code 3"],
  ])("that end their process fail their task, and nothing else: %s", async (kind, reason) => {
    expect(await run(kind)).toMatchObject({
      error: `the thread that ran the handler ${reason}`,
    });
    expect(await run("echo", 1)).toEqual({ ok: true, result: 1 });
  });

  test("run in another process than the peer, which ends with the pool", async () => {
    const outcome = await run("pid");
    const { result: pid } = outcome as unknown as { result: number };
    expect(pid).not.toBe(process.pid);
    pool.stop();
    await eventually(
      async () => !(await isRunning(pid)),
      () => `the end of process ${pid}`,
    );
  });
});
