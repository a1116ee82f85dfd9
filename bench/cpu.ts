import { readdirSync, readFileSync } from "node:fs";

/** Linux counts CPU time in ticks (USER_HZ is 100 per second on every architecture that Node supports). */
const TICK_MS = 10;

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

function processes(): readonly Process[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const parent = Number(
          /\nPPid:\t(\d+)/.exec(readFileSync(`/proc/${name}/status`, "utf8"))?.[1],
        );
        const command = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ");
        return [{ pid: Number(name), parent, command }];
      } catch {
        return []; // ended in the meantime
      }
    });
}

/** The PID of the workerd that runs the Worker. wrangler starts a second workerd, which only forwards requests. */
export function workerdOf(wrangler: number): number {
  const own = processes().filter(
    ({ parent, command }) =>
      parent === wrangler &&
      command.includes("workerd serve") &&
      command.includes("entry=127.0.0.1:0 "),
  );
  const [found] = own;
  if (found === undefined || own.length > 1)
    throw new Error(`found ${own.length} workerd processes of ${wrangler}`);
  return found.pid;
}

/** The CPU time that a process has used so far, in milliseconds; the resolution is 10 ms. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
