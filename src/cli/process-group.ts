import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { errorCode } from "./files.ts";

/** How long a group may take to end in order, before it is killed. */
const GRACE_MS = 2_000;
/** How long a killed group is waited for: the kernel needs moments. */
const KILLED_MS = 1_000;
const LOOK_EVERY_MS = 20;

/** Leaders of the process groups that this process has started and that may still live. */
const groups = new Set<number>();

/** Whatever happens to this process, its groups end with it. Only a SIGKILL leaves no time for this. */
process.on("exit", () => {
  for (const leader of groups) signalGroup(leader, "SIGKILL");
});

/**
 * Takes charge of a child that was spawned `detached`, and so leads a group of its own: whatever it starts belongs to
 * the group and ends with it.
 */
export function takeCharge(child: ChildProcess): void {
  if (child.pid !== undefined) groups.add(child.pid);
}

/** Ends a child and all that it has started: `ask` says how to ask it first; what does not follow is killed. */
export async function endGroup(child: ChildProcess, ask: () => void): Promise<void> {
  const { pid } = child;
  if (pid === undefined) return;
  if (child.exitCode === null && child.signalCode === null) {
    ask();
    await ended(child, GRACE_MS);
  }
  signalGroup(pid, "SIGKILL");
  await ended(child, KILLED_MS);
  groups.delete(pid);
}

/** Ends a child and all that it has started, without asking. */
export const killGroup = (child: ChildProcess): Promise<void> =>
  endGroup(child, () => {
    if (child.pid !== undefined) signalGroup(child.pid, "SIGKILL");
  });

/** Signals a whole group; false when nothing is left of it. */
export function signalGroup(leader: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-leader, signal);
    return true;
  } catch (error) {
    // macOS says EPERM when only the dead are left of it.
    if (errorCode(error) === "ESRCH" || errorCode(error) === "EPERM") return false;
    throw error;
  }
}

async function ended(child: ChildProcess, patience: number): Promise<void> {
  const until = Date.now() + patience;
  while (child.exitCode === null && child.signalCode === null && Date.now() < until) {
    await sleep(LOOK_EVERY_MS);
  }
}
