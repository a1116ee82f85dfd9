import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bench } from "./bench.ts";
import { flood } from "./storage/flood.ts";

const SECONDS = 300;

export const storage: Bench = {
  summary:
    "a database of 40 MB that an owner, a webhook sender and a stranger try to fill for 5 minutes (times SCALE)",
  async run(log, scale) {
    const dir = await mkdtemp(join(tmpdir(), "muster-bench-"));
    try {
      return await flood({ dir: join(dir, "mesh"), seconds: Math.max(10, SECONDS * scale), log });
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  },
};
