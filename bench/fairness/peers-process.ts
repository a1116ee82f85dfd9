import { fork, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import type { Millis } from "../../src/base/clock.ts";
import { killGroup, registerGroup } from "../../src/cli/process-group.ts";

const PEERS = join(import.meta.dirname, "peers.ts");

/** The kind of the tasks that these peers run. */
export const KIND = "work";

/** The payload of these tasks. */
export interface Work {
  /** The owner's label. */
  readonly owner: string;
  /** Numbers the lone tasks; null: a task of a backlog. */
  readonly lone: number | null;
}

export interface PeersPlan {
  readonly url: string;
  readonly meshKey: string;
  readonly names: readonly string[];
  /** Slots of each peer. */
  readonly slots: number;
  /** The mean service time. A task takes 0.5 to 1.5 times as long. */
  readonly serviceMs: Millis;
  readonly seed: number;
}

export type PeersReport =
  | { readonly type: "ready" }
  /** A handler began; `at` is the time since 1970. */
  | { readonly type: "began"; readonly work: Work; readonly at: Millis };

/** Starts a child process that runs several peers. Resolves when the mesh has welcomed all of them. */
export async function startPeers(
  plan: PeersPlan,
  onBegan: (work: Work, at: Millis) => void,
): Promise<{ kill(): Promise<void> }> {
  const child: ChildProcess = fork(PEERS, {
    detached: true,
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  registerGroup(child);
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
  child.once("exit", (code) => reject(new Error(`the process of the peers ended with ${code}`)));
  // The first handlers may begin before the last peer is welcomed.
  child.on("message", (report: PeersReport) => {
    if (report.type === "began") onBegan(report.work, report.at);
    else resolve();
  });
  child.send(plan);
  await ready;
  return { kill: () => killGroup(child) };
}
