import { createHash, randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { parseJson } from "../base/json.ts";
import { Failure } from "./failure.ts";
import { readFileIfExists, replaceFile, writeNewFile } from "./files.ts";
import { isAlive, processStartTime } from "./process-start.ts";

/**
 * A lock is a file with its holder. The lock of a process that has ended is taken over without a moment at which two hold it:
 * each holder has a nonce, and the file `LOCK.NONCE` is the claim to succeed that holder, which one process can create. The holder
 * is the end of this chain, so a claim whose process ended can be succeeded, too. The new holder replaces the lock before it
 * removes the claims: who creates a claim afterwards sees that it is not part of the chain any more.
 */
const Holder = z.object({
  pid: z.int().positive(),
  /** When that process started, as the system reports it: a later process may have the same PID. */
  born: z.string(),
  nonce: z.uuid(),
});
type Holder = z.infer<typeof Holder>;

/** One file of the chain. A file that is not valid has no holder. */
interface Link {
  readonly path: string;
  readonly nonce: string;
  readonly holder: Holder | null;
}

/** Acquires the lock for this process; returns the function that releases it. Throws when a live process holds it. */
export async function acquireLock(path: string): Promise<() => Promise<void>> {
  const acquired = await tryLock(path);
  if (typeof acquired === "function") return acquired;
  throw new Failure(
    `another mesh (process ${acquired.pid}) uses the folder ${dirname(path)}`,
    `stop that mesh first (kill ${acquired.pid}), or choose another folder with --dir`,
  );
}

/** What is done under such a lock takes milliseconds. */
const WAIT_MS = 15_000;
const POLL_MS = 20;

/** Does `work` while no other process does work under this lock; waits for its turn. */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const until = Date.now() + WAIT_MS;
  for (;;) {
    const acquired = await tryLock(path);
    if (typeof acquired === "function") {
      try {
        return await work();
      } finally {
        await acquired();
      }
    }
    if (Date.now() > until)
      throw new Failure(
        `process ${acquired.pid} has held ${path} for ${WAIT_MS / 1_000} s`,
        "wait until it has ended, or end it",
      );
    await sleep(POLL_MS * (1 + Math.random()));
  }
}

/** The function that releases the lock, or the live holder. */
export async function tryLock(path: string): Promise<(() => Promise<void>) | Holder> {
  const born = await processStartTime(process.pid);
  for (;;) {
    const own: Holder = { pid: process.pid, born, nonce: randomUUID() };
    const text = JSON.stringify(own);
    const release = () => releaseLock(path, own);
    const before = await readChain(path);
    const end = before.at(-1);
    if (end === undefined) {
      if (await writeNewFile(path, text)) return release;
      continue;
    }
    if (end.holder !== null && (await isLive(end.holder))) return end.holder;
    const claim = claimOf(path, end);
    if (!(await writeNewFile(claim, text))) continue;
    const after = await readChain(path);
    if (after.at(-1)?.nonce !== own.nonce) {
      await rm(claim, { force: true });
      continue;
    }
    await replaceFile(path, text);
    for (const each of after.slice(1)) await rm(each.path, { force: true });
    return release;
  }
}

const claimOf = (path: string, { nonce }: Link): string => `${path}.${nonce}`;

/** The lock and the claims that succeed each other from it. */
async function readChain(path: string): Promise<readonly Link[]> {
  const chain: Link[] = [];
  for (let next = path; ;) {
    const text = await readFileIfExists(next);
    if (text === null) return chain;
    const holder = Holder.safeParse(parseJson(text)).data ?? null;
    const link = { path: next, nonce: holder?.nonce ?? nonceOfInvalid(text), holder };
    chain.push(link);
    next = claimOf(path, link);
  }
}

const nonceOfInvalid = (text: string): string =>
  createHash("sha256").update(text).digest("hex").slice(0, 32);

const isLive = async ({ pid, born }: Holder): Promise<boolean> =>
  isAlive(pid) && (await processStartTime(pid)) === born;

async function releaseLock(path: string, own: Holder): Promise<void> {
  const [first] = await readChain(path);
  if (first?.nonce === own.nonce) await rm(path, { force: true });
}
