import { runJobs } from "../../selection/run-jobs.ts";
import {
  QUALITY_WORLDS,
  type QualityFigures,
  type QualityJob,
  type QualityWorld,
} from "./quality-runs.ts";

const SEED = 101;
/** With how many cells each world is measured. Fleets are the same: with more cells each has fewer peers. */
const CELLS_OF: Readonly<Partial<Record<QualityWorld, readonly number[]>>> = {
  usual: [4, 16, 64],
  busy: [4, 16],
};
const CELLS_ELSE = [8];
const P99_MAX = 1.03;
/** In percentage points of all attempts. */
const WASTED_MORE_MAX = 1;
/** Cells with fewer peers are measured, and not held to the bar: nobody needs them. */
const PEERS_A_CELL_MIN = 40;

/** Cells compared with one index of all their peers, which sees every candidate of the fleet. */
export async function measureQuality(scale: number, log: (line: string) => void) {
  const worlds = scale < 0.1 ? QUALITY_WORLDS.slice(0, 1) : QUALITY_WORLDS;
  const jobs = worlds.flatMap((world) => {
    const numbers = scale < 0.1 ? [16] : (CELLS_OF[world] ?? CELLS_ELSE);
    const job = { type: "cells", seed: SEED, world } as const;
    const isCutAlike = world === "usual" || world === "busy";
    return numbers.flatMap((cells, at): QualityJob[] => [
      { ...job, cells, isGlobal: false },
      // The trouble of these worlds does not depend on the number of cells.
      ...(at === 0 || !isCutAlike ? [{ ...job, cells, isGlobal: true }] : []),
    ]);
  });
  const figures = await runJobs<QualityFigures>(jobs);
  const runs = jobs.map((job, at) => ({ job, figures: figures[at] as QualityFigures }));
  const rows = runs.flatMap(({ job, figures: of }) => {
    if (job.isGlobal) return [];
    const index = runs.find(({ job: other }) => other.isGlobal && other.world === job.world);
    if (index === undefined) throw new Error(`${job.world} has no run with one index`);
    const { world, cells } = job;
    const row = {
      world,
      cells,
      peers_a_cell: of.workers / cells,
      p99_times: round(of.p99 / index.figures.p99),
      mean_times: round(of.mean / index.figures.mean),
      wasted_percent: [round(of.wasted), round(index.figures.wasted)],
      lost_percent: [round(of.lost), round(index.figures.lost)],
      moves_a_task: round(of.moves),
      p99_s: [round(of.p99), round(index.figures.p99)],
    };
    log(`${world}, ${cells} cells: ${JSON.stringify(row)}`);
    return [row];
  });
  const isWithin = ({
    p99_times: p99,
    wasted_percent: [wasted = 0, ofIndex = 0],
  }: (typeof rows)[0]) => p99 <= P99_MAX && wasted - ofIndex <= WASTED_MORE_MAX;
  return {
    ok: rows.every((row) => row.peers_a_cell < PEERS_A_CELL_MIN || isWithin(row)),
    bar: `with ${PEERS_A_CELL_MIN} peers a cell and more: p99 at most ${P99_MAX} times that of one index, and at most ${WASTED_MORE_MAX} point more failed assignments`,
    seed: SEED,
    leaves_out: LEAVES_OUT,
    rows,
  };
}

const LEAVES_OUT = [
  "peers that join and leave the mesh for good, and growth",
  "the time of calls between gateway and cell",
  "that a coordinator with more than 256 peers considers the best 256 by score: here the one index considers all, which favors it",
  "distances that the workers of one device have in common",
];

const round = (value: number): number => Math.round(value * 1_000) / 1_000;
