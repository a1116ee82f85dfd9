import { fork, type ChildProcess } from "node:child_process";
import type { LoadAnswer, LoadFigures, LoadRequest } from "./load-process.ts";

const CELLS = [1, 4, 16, 64];
const TASKS_A_ROUND = 500;
const ROUNDS = 9;
/** CPU and messages of a task with 64 cells and with 4 differ by no more. */
const FLAT = 0.2;

/**
 * Tasks on so many peers in 1, 4, 16 and 64 cells, each in a process of its own. The processes take turns, a round each: the speed of a machine that
 * others use, too, changes by more than the bar within minutes.
 */
export async function measureLoads(peers: number, log: (line: string) => void) {
  const processes: LoadProcess[] = [];
  const loads: LoadFigures[] = [];
  try {
    for (const cells of CELLS) processes.push(await LoadProcess.start(cells, peers));
    for (let round = 0; round < ROUNDS; round++)
      for (const each of processes) await each.ask("round");
    for (const each of processes) {
      const figures = (await each.ask("figures")) as LoadFigures;
      log(`${figures.cells} cells: ${JSON.stringify(figures)}`);
      loads.push(figures);
    }
  } finally {
    for (const each of processes) each.end();
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

class LoadProcess {
  readonly #child: ChildProcess;

  constructor(cells: number, peers: number) {
    this.#child = fork(
      new URL("load-process.ts", import.meta.url),
      [cells, peers, TASKS_A_ROUND].map(String),
      { execArgv: ["--expose-gc", "--max-old-space-size=8000"] },
    );
  }

  /** Resolves once it has all its peers. */
  static async start(cells: number, peers: number): Promise<LoadProcess> {
    const started = new LoadProcess(cells, peers);
    await started.#answer();
    return started;
  }

  async ask(request: LoadRequest): Promise<LoadAnswer> {
    this.#child.send(request);
    return this.#answer();
  }

  end(): void {
    this.#child.kill();
  }

  #answer(): Promise<LoadAnswer> {
    return new Promise((resolve, reject) => {
      const ended = (code: number | null) => reject(new Error(`the process ended with ${code}`));
      this.#child.once("exit", ended);
      this.#child.once("message", (answer) => {
        this.#child.off("exit", ended);
        resolve(answer as LoadAnswer);
      });
    });
  }
}
