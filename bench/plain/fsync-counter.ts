import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Counts the calls of fsync and fdatasync of one process, on Linux with a C compiler. */
export interface FsyncCounter {
  /** What the process must be started with. */
  readonly environment: Readonly<Record<string, string>>;
  /** The calls so far; null if they cannot be counted here. */
  count(): number | null;
}

const NOT_COUNTED: FsyncCounter = { environment: {}, count: () => null };

/** Compiles the counter into the folder. Without a C compiler the counter counts nothing. */
export function fsyncCounter(dir: string): FsyncCounter {
  const source = fileURLToPath(new URL("fsync-counter.c", import.meta.url));
  const library = join(dir, "fsync-counter.so");
  const args = ["-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"];
  if (spawnSync("cc", args, { stdio: "ignore" }).status !== 0) return NOT_COUNTED;
  const file = join(dir, "fsync-count");
  writeFileSync(file, Buffer.alloc(8));
  return {
    environment: { LD_PRELOAD: library, FSYNC_COUNTER_FILE: file },
    count: () => Number(readFileSync(file).readBigUInt64LE()),
  };
}
