/** Measures one number of cells in a process of its own: a round of tasks each time its parent asks for one, and in the end the figures. */
import { seededRandom } from "../../../test/random.ts";
import { CellLoad, type RoundFigures } from "./cell-load.ts";
import { PeerPlan } from "./fill-cell.ts";

export interface LoadFigures extends RoundFigures {
  readonly cells: number;
  readonly peers: number;
  /** Of the rounds, the least, which is `cpu_us`, and the largest. */
  readonly cpu_us_range: readonly [number, number];
  readonly fill_s: number;
  /** Bytes of the databases for each peer, which a Durable Object has on its disk. */
  readonly row_bytes_a_peer: number;
  /** Bytes of memory for each peer besides the databases. */
  readonly memory_bytes_a_peer: number;
  readonly rss_mb: number;
  readonly digest_us: number;
  /** The largest number of a cell divided by the mean of all cells. */
  readonly imbalance: { readonly peers: number; readonly tasks: number };
}

const [cells = 1, peers = 1_000, tasks = 100] = process.argv.slice(2).map(Number);

const load = await CellLoad.start(cells, peers);
const memory = (): number => {
  globalThis.gc?.();
  return process.memoryUsage().rss;
};
const before = memory();
const databaseBefore = load.databaseBytes;
const begun = performance.now();
const counts = load.addPeers(new PeerPlan(peers, seededRandom(7)));
const fillS = (performance.now() - begun) / 1_000;
const rowBytes = load.databaseBytes - databaseBefore;
// The first rounds fill what is kept in memory, and let the code be compiled.
await load.round(2_500);
await load.round(tasks);
const rss = memory();
const rounds: RoundFigures[] = [];

/** What its parent asks for, and what it answers each time. */
export type LoadRequest = "round" | "figures";
export type LoadAnswer = "ready" | LoadFigures;

const answer = (of: LoadAnswer): void => void process.send?.(of);
async function serve(asked: LoadRequest): Promise<void> {
  if (asked === "figures") return answer(figures());
  rounds.push(await load.round(tasks));
  answer("ready");
}
process.on("message", (asked: LoadRequest) => void serve(asked));
answer("ready");

function figures(): LoadFigures {
  const sorted = rounds.toSorted((a, b) => a.cpu_us - b.cpu_us);
  // Other work on the machine only adds to it.
  const least = sorted[0] as RoundFigures;
  const imbalanceOf = (of: readonly number[]): number =>
    round(Math.max(...of) / (of.reduce((sum, one) => sum + one, 0) / of.length));
  return {
    cells,
    peers,
    cpu_us: round(least.cpu_us),
    cpu_us_range: [round(least.cpu_us), round(sorted.at(-1)?.cpu_us ?? 0)],
    commands: round(least.commands),
    between: round(least.between),
    fill_s: round(fillS),
    row_bytes_a_peer: Math.round(rowBytes / peers),
    memory_bytes_a_peer: Math.round((rss - before - rowBytes) / peers),
    rss_mb: Math.round(rss / 1e6),
    digest_us: Math.round(load.digestMicros()),
    imbalance: { peers: imbalanceOf(counts), tasks: imbalanceOf(load.tasksOf) },
  };
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
