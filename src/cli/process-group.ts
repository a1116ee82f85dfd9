import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { errorCode } from "./files.ts";

/** How long a group may take to shut down before it is killed. */
const GRACE_PERIOD_MS = 2_000;
/** How long to wait for the exit of a killed process. */
const KILL_TIMEOUT_MS = 1_000;
const POLL_INTERVAL_MS = 20;

/** PIDs of the leaders of the process groups that this process started and that may still run. */
const groups = new Set<number>();

/** The groups end when this process exits. A SIGKILL of this process is the exception: it runs no handler. */
process.on("exit", () => {
  for (const leader of groups) signalGroup(leader, "SIGKILL");
});

/**
 * Registers a child that was spawned `detached` and therefore leads a process group of its own: the processes that it
 * starts belong to the group and end with it.
 */
export function registerGroup(child: ChildProcess): void {
  if (child.pid !== undefined) groups.add(child.pid);
}

/** Ends a child and its process group: `requestStop` asks for a graceful shutdown; what still runs afterwards is killed. */
export async function endGroup(
  child: ChildProcess,
  requestStop: () => void,
  graceMs = GRACE_PERIOD_MS,
): Promise<void> {
  const { pid } = child;
  if (pid === undefined) return;
  if (child.exitCode === null && child.signalCode === null) {
    requestStop();
    await waitForExit(child, graceMs);
  }
  signalGroup(pid, "SIGKILL");
  await waitForExit(child, KILL_TIMEOUT_MS);
  groups.delete(pid);
}

/**
 * Asks every process of a child's group to stop, the child included, and waits until the group is empty. What still runs after
 * `graceMs` is killed: also a process that the child has left behind.
 */
export async function stopGroup(child: ChildProcess, graceMs: number): Promise<void> {
  const { pid } = child;
  if (pid === undefined) return;
  const until = Date.now() + graceMs;
  let isLeft = signalGroup(pid, "SIGTERM");
  while (isLeft && Date.now() < until) {
    await sleep(POLL_INTERVAL_MS);
    isLeft = signalGroup(pid, 0);
  }
  await killGroup(child);
}

/** Kills a child and its process group. */
export const killGroup = (child: ChildProcess): Promise<void> =>
  endGroup(child, () => {
    if (child.pid !== undefined) signalGroup(child.pid, "SIGKILL");
  });

/** Signals a whole process group; returns false when no process of it is left. */
export function signalGroup(leader: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-leader, signal);
    return true;
  } catch (error) {
    // macOS reports EPERM when only zombies are left.
    if (errorCode(error) === "ESRCH" || errorCode(error) === "EPERM") return false;
    throw error;
  }
}

async function waitForExit(child: ChildProcess, timeoutMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  // Rejects after the time, too.
  await once(child, "exit", { signal: AbortSignal.timeout(timeoutMs) }).catch(() => {});
}
