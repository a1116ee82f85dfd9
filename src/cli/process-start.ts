import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { errorCode } from "./files.ts";

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === "EPERM"; // alive, and owned by another user
  }
}

/**
 * When a process started, as a text that does not change while it runs: on Linux the boot ID and the start tick,
 * elsewhere the start time that `ps` prints. Empty where neither exists (Windows): the PID alone then decides.
 */
export async function processStartTime(pid: number): Promise<string> {
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
    // Two processes must read the same text, whatever their time zones and languages are.
    const env = { ...process.env, TZ: "UTC", LC_ALL: "C" };
    const args = ["-o", "lstart=", "-p", String(pid)];
    const { stdout } = await promisify(execFile)("ps", args, { env });
    return stdout.trim();
  } catch {
    return ""; // no such process, or no ps
  }
}
