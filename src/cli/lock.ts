import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { z } from "zod";
import { parseJson } from "../base/json.ts";
import { Failure } from "./failure.ts";
import { readFileIfExists, replaceFile, writeNewFile } from "./files.ts";

/** The lock of a state folder. workerd does not lock its data folder, and two processes would corrupt it. */
const Lock = z.object({
  pid: z.int().positive(),
  /** When that process started, as the system reports it: a later process may have the same PID. */
  born: z.string(),
  nonce: z.string(),
});
type Lock = z.infer<typeof Lock>;

/** Two processes that take over a stale lock at once both wait this long; the one whose lock is on disk then holds it. */
const SETTLE_MS = 150;

/** Acquires the lock for this process; returns the function that releases it. Throws when a live process holds it. */
export async function acquireLock(path: string): Promise<() => Promise<void>> {
  const own: Lock = {
    pid: process.pid,
    born: await processStartTime(process.pid),
    nonce: randomUUID(),
  };
  const text = JSON.stringify(own);
  if (!(await writeNewFile(path, text))) {
    const holder = await liveHolder(path);
    if (holder !== null) {
      throw new Failure(
        `another mesh (process ${holder.pid}) uses this folder`,
        "stop that mesh first, or choose another --dir",
      );
    }
    await replaceFile(path, text);
    await sleep(SETTLE_MS);
  }
  if ((await readLock(path))?.nonce !== own.nonce) {
    throw new Failure("another process has just started a mesh in this folder");
  }
  return async () => {
    if ((await readLock(path))?.nonce === own.nonce) await rm(path, { force: true });
  };
}

/** The live process that holds the lock; null when the lock is free or stale. */
async function liveHolder(path: string): Promise<Lock | null> {
  const lock = await readLock(path);
  if (lock === null || !isAlive(lock.pid)) return null;
  return (await processStartTime(lock.pid)) === lock.born ? lock : null;
}

async function readLock(path: string): Promise<Lock | null> {
  const text = await readFileIfExists(path);
  return text === null ? null : (Lock.safeParse(parseJson(text)).data ?? null);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // alive, and owned by another user
  }
}

/**
 * When a process started, as a text that does not change while it runs: on Linux the boot ID and the start tick,
 * elsewhere the start time that `ps` prints. Empty where neither exists (Windows): the PID alone then decides.
 */
async function processStartTime(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8");
    // The second field, the name in parentheses, may hold spaces; the start tick is the 20th field after it.
    const tick = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    return `${boot.trim()} ${tick}`;
  } catch {
    return startTimeFromPs(pid); // not Linux, or the process is gone
  }
}

async function startTimeFromPs(pid: number): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)("ps", ["-o", "lstart=", "-p", String(pid)]);
    return stdout.trim();
  } catch {
    return ""; // no such process, or no ps
  }
}
