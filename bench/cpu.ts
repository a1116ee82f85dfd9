import { readdirSync, readFileSync } from "node:fs";

/** Linux counts CPU time in these (USER_HZ, 100 a second on every architecture that Node runs on). */
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
        return []; // ended while we looked
      }
    });
}

/** The workerd that runs the Worker itself; wrangler has a second one, which only passes requests on to it. */
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

/** CPU time that a process has used so far, in milliseconds, to 10 ms. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
