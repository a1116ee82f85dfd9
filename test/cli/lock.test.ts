import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { acquireLock, withLock } from "../../src/cli/lock.ts";
import { runAtOnce } from "./at-once.ts";

let dir: string;
let path: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-lock-"));
  path = join(dir, "lock");
});
afterEach(() => rm(dir, { recursive: true, force: true }));

test("a lock that is held cannot be acquired, and a released one can", async () => {
  const unlock = await acquireLock(path);
  await expect(acquireLock(path)).rejects.toThrow(`another mesh (process ${process.pid})`);
  await unlock();
  await (
    await acquireLock(path)
  )();
});

test("the lock of a process that has ended is taken over", async () => {
  const dead = spawn(process.execPath, ["--version"]);
  await once(dead, "exit");
  await writeFile(path, JSON.stringify({ pid: dead.pid, born: "once", nonce: "theirs" }));
  const unlock = await acquireLock(path);
  expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ pid: process.pid });
  await unlock();
});

test("the lock of an ended process is taken over even if another process has its PID", async () => {
  await writeFile(path, JSON.stringify({ pid: process.pid, born: "long ago", nonce: "theirs" }));
  await (
    await acquireLock(path)
  )();
});

test.each(["", "not JSON", '{"pid":0}', "[]"])(
  "the invalid lock %j is taken over",
  async (text) => {
    await writeFile(path, text);
    await (
      await acquireLock(path)
    )();
  },
);

test("only one of several processes that take over a stale lock acquires it", async () => {
  await writeFile(path, "stale");
  const outcomes = await Promise.allSettled([
    acquireLock(path),
    acquireLock(path),
    acquireLock(path),
  ]);
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
});

test("CL12 processes that work under one lock work one after the other, also when holders are killed", async () => {
  await writeFile(join(dir, "count"), "0");
  await writeFile(path, "stale");
  // Every fourth process is killed while it holds the lock, before it writes.
  const program = `
    const { withLock } = await import(CLI + "lock.ts");
    const { readFile, writeFile } = await import("node:fs/promises");
    const file = process.env.DIR + "/count";
    await begin();
    for (let round = 0; round < 10; round++)
      await withLock(process.env.DIR + "/lock", async () => {
        const count = Number(await readFile(file, "utf8"));
        if (N % 4 === 0 && round === N / 2) process.kill(process.pid, "SIGKILL");
        await writeFile(file, String(count + 1));
      });`;
  const exits = await runAtOnce(8, program, { DIR: dir });
  expect(exits).toEqual(["SIGKILL", 0, 0, 0, "SIGKILL", 0, 0, 0]);
  expect(await readFile(join(dir, "count"), "utf8")).toBe(String(6 * 10 + 2));
  // The one that is killed may be the last that holds the lock: the next takes it over.
  await withLock(path, async () => {});
  expect((await readdir(dir)).filter((name) => name.startsWith("lock"))).toEqual([]);
});
