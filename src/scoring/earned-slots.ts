/**
 * How a peer's service times depend on how many tasks it holds. A peer that serves its tasks at once is as fast with many
 * of them as with one. For a peer that serves them one after another the time grows in proportion to their number.
 */
export interface Parallelism {
  /** Mean of its service times relative to the expected ones, while it held one task, and how many values it rests on. */
  readonly aloneRatio: number;
  readonly aloneWeight: number;
  /** The same while it held more, with the mean number that it held. */
  readonly loadedRatio: number;
  readonly loadedHeld: number;
  readonly loadedWeight: number;
  /** The most tasks, `PEAK_MIN` or more, that it held at once, as long as it serves them at full speed; else 1. */
  readonly peakHeld: number;
}

/** One task that was served. */
export interface Served {
  /** Its service time, divided by the expected one of its kind over all peers. */
  readonly ratio: number;
  /** How many tasks the peer ran when it ended, with this one. Tasks that wait for a slot do not count. */
  readonly running: number;
}

/** Slots that need not be earned. */
export const SLOTS_UNEARNED = 4;

/** How many more tasks a peer may hold than it was seen to serve at once, so that it can show that it serves more. */
const GROWTH = 1.6;
/** Limit of the past's weight in values. */
const WEIGHT_MAX = 32;
/** A peer that serves its tasks one after another never holds so many without being slow. */
const PEAK_MIN = 8;
/** Of the speed of one task alone. A peer that serves two tasks one after another has half of it. */
const FULL_SPEED = 0.7;
/** Number of values from which on they count. */
const WEIGHT_MIN = 4;
/** Number of a peer's own values that weigh as much as the assumption that it is as fast as the others. */
const HALF_KNOWN = 4;
/** What is known about many tasks at once fades with each task that the peer had alone, so that it is tried again. */
const ALONE_FADE = 0.98;
/** One value far from all others does not decide. */
const RATIO_MAX = 20;

/** Differences below this many milliseconds are those of the network and of batches, and say nothing about the peer. */
const NOTICEABLE_MS = 100;

/**
 * A service time relative to the expected one. Of tasks that take a few milliseconds only a wait counts that anybody would
 * notice.
 */
export const relativeTime = (serviceMs: number, expectedMs: number): number =>
  Math.max(NOTICEABLE_MS, serviceMs) / Math.max(NOTICEABLE_MS, expectedMs);

const NOTHING_SERVED: Parallelism = {
  aloneRatio: 1,
  aloneWeight: 0,
  loadedRatio: 1,
  loadedHeld: 1,
  loadedWeight: 0,
  peakHeld: 1,
};

export function addServed(before: Parallelism | null, { ratio, running }: Served): Parallelism {
  const known = before ?? NOTHING_SERVED;
  const value = Math.min(RATIO_MAX, Math.max(0, ratio));
  if (running <= 1) {
    const aloneWeight = Math.min(WEIGHT_MAX, known.aloneWeight + 1);
    const aloneRatio = known.aloneRatio + (value - known.aloneRatio) / aloneWeight;
    const loadedWeight = known.loadedWeight * ALONE_FADE;
    return { ...known, aloneRatio, aloneWeight, loadedWeight };
  }
  const loadedWeight = Math.min(WEIGHT_MAX, known.loadedWeight + 1);
  const loaded = {
    ...known,
    loadedRatio: known.loadedRatio + (value - known.loadedRatio) / loadedWeight,
    loadedHeld: known.loadedHeld + (running - known.loadedHeld) / loadedWeight,
    loadedWeight,
  };
  if (!isFullSpeed(loaded)) return { ...loaded, peakHeld: 1 };
  return running >= PEAK_MIN ? { ...loaded, peakHeld: Math.max(known.peakHeld, running) } : loaded;
}

/** The service time of one task alone, relative to the expected one. */
function aloneTime({ aloneRatio, aloneWeight }: Parallelism): number {
  const own = aloneWeight / (aloneWeight + HALF_KNOWN);
  return own * aloneRatio + (1 - own);
}

/** Whether many tasks at once take hardly longer than one alone. */
const isFullSpeed = (known: Parallelism): boolean =>
  known.loadedRatio * FULL_SPEED <= aloneTime(known);

/**
 * How many tasks the peer serves at once: as many as it held, divided by how much slower each was than one alone. A task
 * alone is assumed to take as long as at other peers until the peer's own times are known. While it is not slower, its most
 * tasks count, and not those of a time with little work.
 */
export function effectiveParallelism(known: Parallelism): number {
  const speed = aloneTime(known) / Math.max(known.loadedRatio, Number.EPSILON);
  return Math.max(known.loadedHeld * speed, known.peakHeld);
}

/**
 * The number of tasks that a peer may run at once, however many slots it announces: somewhat more than it was seen to
 * serve at once, and `SLOTS_UNEARNED` until that is known. So a peer with many slots earns them with each round of tasks.
 */
export function earnedSlots(known: Parallelism | null): number {
  if (known === null || known.loadedWeight < WEIGHT_MIN) return SLOTS_UNEARNED;
  return Math.max(1, Math.floor(GROWTH * effectiveParallelism(known)));
}
