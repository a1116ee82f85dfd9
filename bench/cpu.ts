import { readFileSync } from "node:fs";

/** Linux counts CPU time in ticks (USER_HZ is 100 per second on every architecture that Node supports). */
const TICK_MS = 10;

/** The CPU time that a process has used so far, in milliseconds; the resolution is 10 ms. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
