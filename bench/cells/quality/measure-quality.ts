import { runJobs } from "../../selection/run-jobs.ts";
import {
  QUALITY_WORLDS,
  type QualityFigures,
  type QualityJob,
  type QualityWorld,
} from "./quality-runs.ts";

/** The p99 of one fleet differs from that of another by several hundredths. */
const SEEDS = [101, 102, 103, 104, 105, 106];
/** With how many cells each world is measured. Fleets are the same: with more cells each has fewer peers. */
const CELLS_OF: Readonly<Partial<Record<QualityWorld, readonly number[]>>> = {
  usual: [4, 16, 64],
  busy: [4, 16],
};
const CELLS_ELSE = [8];
const P99_MAX = 1.03;
/**
 * Worlds in which all slots are taken most of the time. There a queue grows or shrinks with less than a hundredth of the throughput, and p99
 * differs by some hundredths from seed to seed.
 */
const OVERLOADED: ReadonlySet<QualityWorld> = new Set(["busy", "many-callers"]);
const P99_MAX_OVERLOADED = 1.1;
/** In percentage points of all attempts. */
const WASTED_MORE_MAX = 1;
/** In percent of all tasks. */
const LOST_MORE_MAX = 0.02;
/** Cells with fewer peers are measured, and not held to the bar: nobody needs them, since one coordinator has room for 20,000. */
const PEERS_A_CELL_MIN = 90;

/** Cells compared with one index of all their peers, which sees every candidate of the fleet. */
export async function measureQuality(scale: number, log: (line: string) => void) {
  const isShort = scale < 0.1;
  const seeds = isShort ? SEEDS.slice(0, 1) : SEEDS;
  const worlds = isShort ? QUALITY_WORLDS.slice(0, 1) : QUALITY_WORLDS;
  const cases = worlds.flatMap((world) =>
    (isShort ? [16] : (CELLS_OF[world] ?? CELLS_ELSE)).map((cells) => ({ world, cells })),
  );
  const jobs = cases.flatMap(({ world, cells }) =>
    seeds.flatMap((seed): QualityJob[] => {
      const job = { type: "cells", seed, world, cells } as const;
      return [
        { ...job, isGlobal: false },
        { ...job, isGlobal: true },
      ];
    }),
  );
  const unlike = [...new Map(jobs.map((job) => [runOf(job), job])).entries()];
  const figures = await runJobs<QualityFigures>(unlike.map(([, job]) => job));
  const runs = new Map(unlike.map(([run], at) => [run, figures[at] as QualityFigures]));
  const rows = cases.map(({ world, cells }) => {
    const pairs = seeds.map((seed): Pair => {
      const [own, index] = [false, true].map((isGlobal) =>
        runs.get(runOf({ type: "cells", seed, world, cells, isGlobal })),
      );
      return { own: own as QualityFigures, index: index as QualityFigures };
    });
    const row = rowOf(pairs, { world, cells });
    log(`${world}, ${cells} cells: ${JSON.stringify(row)}`);
    return row;
  });
  return {
    ok: rows.every((row) => row.peers_a_cell < PEERS_A_CELL_MIN || isWithin(row)),
    bar: `with ${PEERS_A_CELL_MIN} peers a cell and more: p99 at most ${P99_MAX} times that of one index (${P99_MAX_OVERLOADED} times where all slots are taken), and at most ${WASTED_MORE_MAX} point more failed assignments`,
    seeds,
    leaves_out: LEAVES_OUT,
    rows,
  };
}

/** Worlds that differ from another one by what callers know or send, which one index does not notice. */
const WITHOUT_CELLS: Readonly<Partial<Record<QualityWorld, QualityWorld>>> = {
  "many-callers": "busy",
  keyed: "usual",
  "keyed-rare-kind": "rare-kind",
};

/** Runs with the same name are the same. With one index it does not matter by how many cells most worlds are cut, nor who the callers are. */
function runOf({ seed, world, cells, isGlobal }: QualityJob): string {
  if (!isGlobal) return JSON.stringify([seed, world, cells]);
  const name = WITHOUT_CELLS[world] ?? world;
  const isCutAlike = name === "usual" || name === "busy";
  return JSON.stringify([seed, name, "index", isCutAlike ? null : cells]);
}

interface Pair {
  readonly own: QualityFigures;
  readonly index: QualityFigures;
}

/** The means over the seeds. */
function rowOf(pairs: readonly Pair[], { world, cells }: Pick<QualityJob, "world" | "cells">) {
  const mean = (of: (pair: Pair) => number): number =>
    round(pairs.reduce((sum, pair) => sum + of(pair), 0) / pairs.length);
  const both = (of: (figures: QualityFigures) => number) => [
    mean(({ own }) => of(own)),
    mean(({ index }) => of(index)),
  ];
  const timesOf =
    (of: (figures: QualityFigures) => number) =>
    ({ own, index }: Pair) =>
      of(own) / of(index);
  const p99 = timesOf((figures) => figures.p99);
  return {
    world,
    cells,
    peers_a_cell: mean(({ own }) => own.workers / cells),
    p99_times: mean(p99),
    p99_times_of_seeds: pairs.map((pair) => round(p99(pair))),
    mean_times: mean(timesOf((figures) => figures.mean)),
    wasted_percent: both((figures) => figures.wasted),
    lost_percent: both((figures) => figures.lost),
    moves_a_task: mean(({ own }) => own.moves),
    calls_a_task: mean(({ own }) => own.submissions),
    p99_s: both((figures) => figures.p99),
  };
}

function isWithin(row: ReturnType<typeof rowOf>): boolean {
  const [wasted = 0, wastedByIndex = 0] = row.wasted_percent;
  const [lost = 0, lostByIndex = 0] = row.lost_percent;
  return (
    row.p99_times <= (OVERLOADED.has(row.world) ? P99_MAX_OVERLOADED : P99_MAX) &&
    wasted - wastedByIndex <= WASTED_MORE_MAX &&
    lost - lostByIndex <= LOST_MORE_MAX
  );
}

const LEAVES_OUT = [
  "peers that join and leave the mesh for good, and growth",
  "the time of calls between gateway and cell",
  "that a coordinator with more than 256 peers considers the best 256 by score: here the one index considers all, which favors it",
  "distances that the workers of one device have in common",
];

const round = (value: number): number => Math.round(value * 1_000) / 1_000;
