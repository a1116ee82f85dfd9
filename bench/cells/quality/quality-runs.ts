import { keyedRandom, randomSequence } from "../../selection/keyed.ts";
import { fieldFiguresOf } from "../../selection/field/field-figures.ts";
import type { FieldTask, FieldTasks } from "../../selection/field/field-mesh.ts";
import { simulateField } from "../../selection/field/field-simulation.ts";
import type { Traces } from "../../selection/traces.ts";
import { CellPolicies, homesOf, topologyOf } from "./cell-fleet.ts";
import { CellTasks, type CellTasksOptions } from "./cell-tasks.ts";
import { FleetWorld, type FleetSettings } from "./fleet-world.ts";

/** Workers of a fleet: 8 times the 90 of the traces. */
const TIMES = 8;
const FLEET = TIMES * 90;
/** Tasks count once the mesh knows its peers. */
const COUNTED_FROM_MS = 40_000;
const SECONDS = 110;
const DOWN = { cell: 0, from: 70_000, to: 90_000 } as const;
const CHOICE_STREAM = 50;
const KEY_STREAM = 51;
/** Isolates of the gateway: eight are a hundred requests a second each, and of five hundred each knows little of the cells. */
const GATEWAYS = 8;
const MANY_GATEWAYS = 500;

/** What goes wrong, in a world with so many cells. The one index of a mesh without cells has the same workers with the same faults. */
export const QUALITY_WORLDS = [
  "usual",
  "keyed",
  "keyed-rare-kind",
  "busy",
  "many-callers",
  "rare-kind",
  "bursts",
  "one-full",
  "one-refuses",
  "one-down",
  "one-fails-fast",
] as const;
export type QualityWorld = (typeof QUALITY_WORLDS)[number];

export interface QualityJob {
  readonly type: "cells";
  readonly seed: number;
  readonly world: QualityWorld;
  /** How many cells the trouble of the world is cut by. */
  readonly cells: number;
  /** Whether one index has all workers instead. */
  readonly isGlobal: boolean;
}

export interface QualityFigures {
  readonly p50: number;
  readonly p99: number;
  readonly mean: number;
  /** Failed and timed-out attempts, in percent of all. */
  readonly wasted: number;
  readonly lost: number;
  readonly tasks: number;
  readonly workers: number;
  /** Moves from cell to cell, per task. */
  readonly moves: number;
  /** Calls of cells that submit a task, per task. */
  readonly submissions: number;
}

/** The figures of a run, over the tasks that the trouble of its world leaves comparable. */
export function qualityRun(traces: Traces, job: QualityJob): QualityFigures {
  const { seed, world: name, cells, isGlobal } = job;
  const homes = homesOf(topologyOf(cells), FLEET);
  const isOfFirst = (worker: number): boolean => homes[worker] === 0;
  const world = new FleetWorld(traces, seed, settingsOf(name, isOfFirst));
  const isAway = (at: number): boolean =>
    name === "one-refuses" || (name === "one-down" && at >= DOWN.from && at < DOWN.to);
  const options = optionsOf(name, { seed, cells, isGlobal });
  let tasks: FieldTasks | null = null;
  const run = simulateField(
    world,
    (mesh) => {
      const policies = new CellPolicies(mesh, options.cells);
      if (!isGlobal) return policies;
      // The one index does not have the workers that no cell reaches.
      const { connected } = mesh;
      const { pick: pickOfAll } = policies;
      const pick = (task: FieldTask, now: number, cell: number): number => {
        if (!isAway(now)) return pickOfAll(task, now, cell);
        const before = connected.slice();
        for (const [worker, home] of homes.entries()) if (home === 0) connected[worker] = 0;
        const worker = pickOfAll(task, now, cell);
        connected.set(before);
        return worker;
      };
      return Object.assign(policies, { pick });
    },
    (mesh, policies) => (tasks = new CellTasks(mesh, policies as CellPolicies, options)),
  );
  const { acceptedBy, moved, submissions } = tasks as unknown as CellTasks;
  const counts = (task: number): boolean =>
    (world.tasks.at[task] as number) >= COUNTED_FROM_MS &&
    // Tasks of the cell that is down wait until it is back.
    !(name === "one-down" && !isGlobal && acceptedBy.get(task) === DOWN.cell);
  const { p50, p99, mean, wasted, lost } = fieldFiguresOf(run, counts);
  return {
    p50,
    p99,
    mean,
    wasted,
    lost,
    tasks: world.tasks.count,
    workers: FLEET,
    moves: moved / world.tasks.count,
    submissions: submissions / world.tasks.count,
  };
}

function optionsOf(
  name: QualityWorld,
  { seed, cells, isGlobal }: Pick<QualityJob, "seed" | "cells" | "isGlobal">,
): CellTasksOptions {
  const random = randomSequence(seed, CHOICE_STREAM, 0);
  return {
    cells: isGlobal ? 1 : cells,
    random,
    gateways: name === "many-callers" ? MANY_GATEWAYS : GATEWAYS,
    ...(name.startsWith("keyed") && {
      keyed: (task: number) => Math.floor(keyedRandom(seed, KEY_STREAM, task) * cells),
    }),
    ...(name === "one-full" && { keyed: (task: number) => (task % 10 === 0 ? 0 : null) }),
    ...(name === "one-refuses" && !isGlobal && { full: new Set([0]) }),
    ...(name === "one-down" && !isGlobal && { down: DOWN }),
  };
}

/** One kind in a hundred tasks is rare: one worker in a hundred does it. */
const RARE_SHARE = 0.01;

function settingsOf(name: QualityWorld, isOfFirst: (worker: number) => boolean): FleetSettings {
  const usual = { load: 0.5, seconds: SECONDS, times: TIMES } as const;
  switch (name) {
    case "usual":
    case "keyed":
    case "one-refuses":
    case "one-down":
    case "one-full":
      return usual;
    case "busy":
    case "many-callers":
      return { ...usual, load: 0.85 };
    case "rare-kind":
    case "keyed-rare-kind":
      return {
        ...usual,
        kinds: 2,
        kindOf: (random) => Number(random < RARE_SHARE),
        canDo: (worker, kind) => kind === 0 || worker % 100 === 7,
      };
    case "bursts":
      // Five seconds of tasks within 200 ms, once in ten seconds, on top of a load of 0.3.
      return { ...usual, load: (at) => (at % 10_000 < 200 ? 10 : 0.3) };
    case "one-fails-fast":
      return { ...usual, fails: ({ worker }) => (isOfFirst(worker) ? "at_once" : null) };
    default:
      return name satisfies never;
  }
}
