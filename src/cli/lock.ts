import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { z } from "zod";
import { parseJson } from "../base/json.ts";
import { Failure } from "./failure.ts";
import { readIfThere, replaceFile, writeNew } from "./files.ts";

/** workerd guards a data folder against a second process by nothing at all, and two would ruin it. */
const Lock = z.object({
  pid: z.int().positive(),
  /** When that process began, as the system tells it: a later process may bear the same number. */
  born: z.string(),
  nonce: z.string(),
});
type Lock = z.infer<typeof Lock>;

/** Two that take over a stale lock at once both wait this long to see whose word stands. */
const SETTLE_MS = 150;

/** Takes the lock for this process; answers how to give it back. Throws when a live process holds it. */
export async function takeLock(path: string): Promise<() => Promise<void>> {
  const own: Lock = { pid: process.pid, born: await bornAt(process.pid), nonce: randomUUID() };
  const text = JSON.stringify(own);
  if (!(await writeNew(path, text))) {
    const holder = await holderOf(path);
    if (holder !== null) {
      throw new Failure(
        `another mesh (process ${holder.pid}) uses this folder`,
        "stop it first, or choose another --dir",
      );
    }
    await replaceFile(path, text);
    await sleep(SETTLE_MS);
  }
  if ((await readLock(path))?.nonce !== own.nonce) {
    throw new Failure("another mesh has just been started in this folder");
  }
  return async () => {
    if ((await readLock(path))?.nonce === own.nonce) await rm(path, { force: true });
  };
}

/** The live process that holds the lock; null when there is none, or only the traces of one. */
async function holderOf(path: string): Promise<Lock | null> {
  const lock = await readLock(path);
  if (lock === null || !isAlive(lock.pid)) return null;
  return (await bornAt(lock.pid)) === lock.born ? lock : null;
}

async function readLock(path: string): Promise<Lock | null> {
  const text = await readIfThere(path);
  return text === null ? null : (Lock.safeParse(parseJson(text)).data ?? null);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // alive, but somebody else's
  }
}

/**
 * When a process began, in words that hold still: Linux's boot and start tick, elsewhere what `ps` says. Empty where
 * neither is to be had (Windows): a number then counts as the same process.
 */
async function bornAt(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8");
    // The second field, a name in brackets, may hold spaces; the start tick is the 20th after it.
    const tick = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    return `${boot.trim()} ${tick}`;
  } catch {
    return psStart(pid); // not Linux, or the process is gone
  }
}

async function psStart(pid: number): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)("ps", ["-o", "lstart=", "-p", String(pid)]);
    return stdout.trim();
  } catch {
    return ""; // no such process, or no ps
  }
}
