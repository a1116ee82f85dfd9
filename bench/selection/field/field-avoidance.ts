import { MINUTE, SECOND } from "../../../src/base/clock.ts";
import { WORKERS } from "../world.ts";
import type { FieldRun } from "./field-simulation.ts";
import type { FieldWorld } from "./field-world.ts";

/** A worker counts as used when it got this many tasks in the minute before its trouble. */
const USED_BEFORE = 5;
/** It counts as avoided from when on it gets at most this many tasks, which are probes, within the time. */
const PROBES = 2;
const AVOIDED_FOR = 20 * SECOND;
/** It counts as in use again from its third success on. */
const SUCCESSES = 3;

export interface Avoidance {
  /** Seconds from the beginning of the trouble until a worker is avoided, mean over the workers. */
  readonly avoidedAfter: number;
  /** Seconds from the end of the trouble until it is in use again; at most until the end of the world. */
  readonly usedAgainAfter: number;
}

/** How soon the workers of a world in which trouble begins and ends are avoided and used again. */
export function avoidanceOf(
  world: FieldWorld,
  run: FieldRun,
  troubled: (worker: number) => boolean,
  beginsAt: number,
  mendedAt: number,
): Avoidance {
  const avoided: number[] = [];
  const used: number[] = [];
  for (let worker = 0; worker < WORKERS; worker++) {
    if (!troubled(worker)) continue;
    const attempts = run.attempts.filter((attempt) => attempt.worker === worker);
    const times = attempts.map(({ at }) => at);
    const before = times.filter((at) => at >= beginsAt - MINUTE && at < beginsAt);
    if (before.length >= USED_BEFORE && isUp(world, worker, beginsAt - MINUTE, beginsAt + MINUTE))
      avoided.push(avoidedAt(times, beginsAt) - beginsAt);
    if (!isUp(world, worker, mendedAt - MINUTE, world.durationMs)) continue;
    const successes = attempts.filter(({ at, end }) => at >= mendedAt && end.outcome === "success");
    used.push((successes[SUCCESSES - 1]?.end.endsAt ?? world.durationMs) - mendedAt);
  }
  return { avoidedAfter: meanSeconds(avoided), usedAgainAfter: meanSeconds(used) };
}

/** The first time from which on the worker gets no more than probes for a while. */
function avoidedAt(times: readonly number[], from: number): number {
  const later = times.filter((at) => at >= from);
  const within = (at: number) => later.filter((one) => one > at && one <= at + AVOIDED_FOR).length;
  return [from, ...later].find((at) => within(at) <= PROBES) ?? from;
}

const isUp = (world: FieldWorld, worker: number, from: number, to: number): boolean =>
  world.outagesOf(worker).every((outage) => outage.to < from || outage.from > to);

const meanSeconds = (times: readonly number[]): number =>
  times.reduce((sum, ms) => sum + ms, 0) / Math.max(1, times.length) / 1_000;
