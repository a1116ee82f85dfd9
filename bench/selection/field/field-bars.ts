import type { RunFigures, RunKey } from "./field-runs.ts";

/** Figures by run, each the mean over the seeds. */
export type MeanFigures = Readonly<Record<RunKey, RunFigures>>;

export interface Bar {
  readonly world: string;
  readonly what: string;
  readonly value: (of: MeanFigures) => number;
  readonly atMost: number;
}

/** The default's p99 divided by that of another run. */
const p99 =
  (of: RunKey, to: RunKey) =>
  (runs: MeanFigures): number =>
    runs[of].p99 / runs[to].p99;

/** The points by which the default wastes more attempts than in the same world without the trouble. */
const wastedMore =
  (of: RunKey, to: RunKey) =>
  (runs: MeanFigures): number =>
    runs[of].wasted - runs[to].wasted;

/** What "no worse" allows: the figures of two policies differ by chance. */
const NO_WORSE = 1.02;

/** The bars. Ratios are between policies, or between worlds with and without the trouble, of the same run. */
export const BARS: readonly Bar[] = [
  ...(["a", "a-near", "a-busy"] as const).flatMap((world): Bar[] => [
    {
      world,
      what: "tasks lost, %",
      value: (of) => of[`${world}/muster`].lost,
      atMost: 0.01,
    },
    {
      world,
      what: "attempts wasted more than without the trouble, points",
      value: wastedMore(`${world}/muster`, `${world}-none/muster`),
      atMost: 0.5,
    },
  ]),
  {
    world: "a-mended",
    what: "until avoided, s",
    value: (of) => of["a-mended/muster"].avoidedAfter ?? Infinity,
    atMost: 10,
  },
  {
    world: "a-mended",
    what: "until used again, s",
    value: (of) => of["a-mended/muster"].usedAgainAfter ?? Infinity,
    atMost: 300,
  },
  {
    world: "a-kind",
    what: "attempts wasted, %",
    value: (of) => of["a-kind/muster"].wasted,
    atMost: 2,
  },
  {
    world: "b-poison",
    what: "p99 of healthy tasks to that without poison",
    value: p99("b-poison/muster", "usual/muster"),
    atMost: 1.05,
  },
  {
    world: "b-kind",
    what: "p99 of the other kinds to that without the broken one",
    value: p99("b-kind/muster", "b-kind-none/muster"),
    atMost: 1.05,
  },
  {
    world: "b-kind",
    what: "time until a task of the broken kind fails, to before",
    value: (of) => of["b-kind/muster"].failedAfter / of["b-kind/before"].failedAfter,
    atMost: NO_WORSE,
  },
  { world: "c", what: "p99 to plain cost", value: p99("c/muster", "c/plain"), atMost: 1.1 },
  {
    world: "e",
    what: "p99 to that without serial peers",
    value: p99("e/muster", "usual/muster"),
    atMost: 1.1,
  },
  {
    world: "e-busy",
    what: "attempts failed, %",
    value: (of) => of["e-busy/muster"].wasted,
    atMost: 6,
  },
  { world: "g", what: "p99 to plain cost", value: p99("g/muster", "g/plain"), atMost: 1.1 },
  { world: "j", what: "p99 to plain cost", value: p99("j/muster", "j/plain"), atMost: 1.1 },
  { world: "h", what: "p99 to the oracle", value: p99("h/muster", "h/oracle"), atMost: 1.5 },
  {
    world: "h",
    what: "refusals a task",
    value: (of) => of["h/muster"].refusals,
    atMost: 0.01,
  },
  { world: "d", what: "p99 to before", value: p99("d/muster", "d/before"), atMost: NO_WORSE },
  { world: "f", what: "p99 to before", value: p99("f/muster", "f/before"), atMost: NO_WORSE },
  {
    world: "i",
    what: "mean to before",
    value: (of) => of["i/muster"].mean / of["i/before"].mean,
    atMost: NO_WORSE,
  },
  ...(["near", "far"] as const).flatMap((rtts): Bar[] => [
    {
      world: `idle-${rtts}`,
      what: "p99 to the oracle",
      value: p99(`idle-${rtts}/muster`, `idle-${rtts}/oracle`),
      atMost: 1.5,
    },
    {
      world: `idle-${rtts}`,
      what: "attempts wasted, %",
      value: (of) => of[`idle-${rtts}/muster`].wasted,
      atMost: 0.4,
    },
    {
      world: `usual-${rtts}`,
      what: "p99 to the oracle",
      value: p99(`usual-${rtts}/muster`, `usual-${rtts}/oracle`),
      atMost: 1.75,
    },
    {
      world: `usual-${rtts}`,
      what: "attempts wasted, %",
      value: (of) => of[`usual-${rtts}/muster`].wasted,
      atMost: 1.3,
    },
  ]),
];
