import type { Worker } from "node:worker_threads";
import type { SpawnThread } from "../client/index.ts";
import { nodeThreads } from "../client/index.ts";
import { withoutToken } from "./task-environment.ts";

/** Threads for `--module`. What the handlers print goes to stderr, because stdout is for the events of the peer. */
export const moduleThreads = (): SpawnThread =>
  nodeThreads({ env: withoutToken(process.env), stdout: true }, (worker) => {
    const { stdout } = worker as Worker;
    // One for each thread ever started, on the same stream: `pipe` would add a listener for each.
    stdout.on("data", (chunk: Buffer) => process.stderr.write(chunk));
  });
