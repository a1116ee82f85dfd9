import { MINUTE } from "../../../src/base/clock.ts";
import { keyedRandom } from "../keyed.ts";
import type { Traces } from "../traces.ts";
import { World, WORKERS, type Outage } from "../world.ts";
import { isChosen, type FieldSettings } from "./field-world.ts";

/** A minute of each world in which its trouble begins and ends, where it does not last. */
export const BEGINS_AT = 4 * MINUTE;
export const MENDED_AT = 10 * MINUTE;

const TROUBLED = 0.1;
const LOAD = 0.5;
const POISON_STREAM = 34;
const POISON_SHARE = 0.02;
/** Load of the only worker that does the rare kind. */
const RARE_LOAD = 0.4;

/** Whether a task fails on every worker. */
export const isPoison = (seed: number, task: number): boolean =>
  keyedRandom(seed, POISON_STREAM, task) < POISON_SHARE;

/** The workers whose trouble begins in the middle of the worlds of a seed. */
export const isTroubled = (seed: number, worker: number): boolean =>
  isChosen(seed, worker, TROUBLED);

/** An outage that is noticed as late as a silent disconnection usually is. */
const silent = (from: number, to: number): Outage => ({
  from,
  noticedAt: Math.min(to, from + 20_000),
  to,
});

/** The worlds of the field for a seed, by name. Those that end in `-none` are the same without the trouble. */
export function fieldWorlds(traces: Traces, seed: number) {
  const chosen = (worker: number) => isTroubled(seed, worker);
  const hole: FieldSettings["fails"] = ({ worker }) => (chosen(worker) ? "at_once" : null);
  const steady = { load: LOAD, minutes: 12 };
  // Generated only for the worlds that need it.
  const rare = () => rareKind(new World(traces, seed, LOAD, 1, steady.minutes * MINUTE));
  const queue = { load: { queued: 9_000 }, minutes: 40 };
  const busy = { load: 0.9, minutes: 12 };
  const mixed = { ...steady, kinds: 5 };
  const flapping = (worker: number): readonly Outage[] =>
    Array.from({ length: 8 }, (_, i) => silent((i + 1) * 90_000 - 30_000, (i + 1) * 90_000)).filter(
      () => isChosen(seed, worker, 0.3),
    );
  return {
    usual: steady,
    "usual-near": { ...steady, rttScale: 0.1 },
    "usual-far": { ...steady, rttScale: 3 },
    "idle-near": { load: 0.02, minutes: 40, rttScale: 0.1 },
    "idle-far": { load: 0.02, minutes: 40, rttScale: 3 },
    "a-none": queue,
    a: { ...queue, fails: hole },
    "a-near-none": { ...queue, rttScale: 0.01 },
    "a-near": { ...queue, rttScale: 0.01, fails: hole },
    "a-busy-none": busy,
    "a-busy": { ...busy, fails: hole },
    "a-mended": {
      load: LOAD,
      minutes: 22,
      fails: ({ worker, at }) =>
        chosen(worker) && at >= BEGINS_AT && at < MENDED_AT ? "at_once" : null,
    },
    "a-kind": {
      ...steady,
      kinds: 2,
      fails: ({ worker, kind }) => (kind === 1 && chosen(worker) ? "at_once" : null),
    },
    "b-poison": { ...steady, fails: ({ task }) => (isPoison(seed, task) ? "late" : null) },
    "b-kind-none": mixed,
    "b-kind": { ...mixed, fails: ({ kind }) => (kind === 4 ? "late" : null) },
    c: {
      ...steady,
      slowness: (worker, _, at) => (chosen(worker) && at >= BEGINS_AT ? 10 : 1),
    },
    "c-mended": {
      load: LOAD,
      minutes: 40,
      slowness: (worker, _, at) => (chosen(worker) && at >= BEGINS_AT && at < MENDED_AT ? 10 : 1),
    },
    d: {
      ...steady,
      outages: (worker) =>
        isChosen(seed, worker, 0.3) ? [silent(BEGINS_AT, BEGINS_AT + 5 * MINUTE)] : [],
    },
    e: { ...steady, serialSlots: (worker) => (chosen(worker) ? 64 : null) },
    "e-busy": { ...busy, serialSlots: (worker) => (chosen(worker) ? 64 : null) },
    f: { ...steady, outages: flapping },
    g: {
      ...steady,
      kinds: 20,
      slowness: (worker, kind) => ((worker * 7 + kind * 13) % 20 < 3 ? 0.2 : 1),
    },
    get h() {
      return { ...steady, ...rare() };
    },
    get "h-unannounced"() {
      return { ...steady, ...rare(), announced: false };
    },
    i: {
      load: (at: number) => (at >= BEGINS_AT && at < BEGINS_AT + 2 * MINUTE ? 3 : LOAD),
      minutes: 12,
    },
    j: {
      load: LOAD,
      minutes: 20,
      slowness: (worker, _, at) =>
        2 ** (1.5 * Math.sin((2 * Math.PI * at) / (20 * MINUTE) + worker)),
    },
  } satisfies Readonly<Record<string, FieldSettings>>;
}

/** A second kind that only one worker does, which stays connected. It gets a fixed load of that worker's capacity. */
function rareKind({ workers, tasks, durationMs }: World) {
  const does = workers.findIndex(({ outages, slots }) => slots > 1 && outages.length === 0);
  const { slots, slowness } = workers[does] ?? { slots: 1, slowness: 1 };
  const perSecond = (RARE_LOAD * slots) / slowness;
  const share = perSecond / (tasks.count / (durationMs / 1_000));
  return {
    kinds: 2,
    kindOf: (random: number) => (random < share ? 1 : 0),
    canDo: (worker: number, kind: number) => kind === 0 || worker === does % WORKERS,
  } satisfies Partial<FieldSettings>;
}
