import { fork } from "node:child_process";
import type { LoadFigures } from "./load-process.ts";

const CELLS = [1, 4, 16, 64];
const TASKS_A_ROUND = 500;
/** CPU and messages of a task with 64 cells and with 4 differ by no more. */
const FLAT = 0.2;

/** Tasks on so many peers in 1, 4, 16 and 64 cells, each in a process of its own. */
export async function measureLoads(peers: number, log: (line: string) => void) {
  const loads: LoadFigures[] = [];
  for (const cells of CELLS) {
    const figures = await measure(cells, peers);
    log(`${cells} cells: ${JSON.stringify(figures)}`);
    loads.push(figures);
  }
  const several = loads.filter(({ cells }) => cells > 1);
  const times = (of: (load: LoadFigures) => number): number => {
    const values = several.map(of);
    return Math.round((1_000 * Math.max(...values)) / Math.min(...values)) / 1_000;
  };
  const cpu = times(({ cpu_us: cpuUs }) => cpuUs);
  const messages = times(({ commands, between }) => commands + between);
  return {
    ok: cpu <= 1 + FLAT && messages <= 1 + FLAT,
    bar: `from 4 to 64 cells CPU and messages of a task differ by at most ${FLAT * 100} %`,
    cpu_times: cpu,
    messages_times: messages,
    figures: loads,
  };
}

const measure = (cells: number, peers: number): Promise<LoadFigures> =>
  new Promise((resolve, reject) => {
    const child = fork(
      new URL("load-process.ts", import.meta.url),
      [cells, peers, TASKS_A_ROUND].map(String),
      { execArgv: ["--expose-gc", "--max-old-space-size=8000"] },
    );
    child.once("message", (figures) => resolve(figures as LoadFigures));
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the process ended with ${code}`)));
  });
