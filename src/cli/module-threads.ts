import type { Worker } from "node:worker_threads";
import type { SpawnThread } from "../client/index.ts";
import { nodeThreads } from "../client/index.ts";
import { note } from "./output.ts";
import { withoutSecrets } from "./secrets.ts";
import { onLines } from "./stream-lines.ts";

/**
 * Threads for `--module`. What the handlers print goes to stderr, because stdout is for the events of the peer. They may print what
 * a payload contains, so each line is marked as theirs.
 */
export const moduleThreads = (): SpawnThread =>
  nodeThreads({ env: withoutSecrets(process.env), stdout: true, stderr: true }, (worker) => {
    const { stdout, stderr } = worker as Worker;
    for (const stream of [stdout, stderr]) onLines(stream, (text) => note(`[module] ${text}`));
  });
