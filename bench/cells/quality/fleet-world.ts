import { MINUTE } from "../../../src/base/clock.ts";
import { keyedRandom } from "../../selection/keyed.ts";
import {
  FieldWorld,
  type AttemptAt,
  type FieldSettings,
  type SimulatedWorld,
} from "../../selection/field/field-world.ts";
import { makeTasks, SERVICE_MEAN_MS, type Load, type Tasks } from "../../selection/tasks.ts";
import type { Traces } from "../../selection/traces.ts";
import { WORKERS, type Outage, type Worker } from "../../selection/world.ts";

export interface FleetSettings extends Omit<FieldSettings, "load" | "minutes"> {
  readonly load: Load;
  readonly seconds: number;
  /** How many times the fleet has the workers of one world, each time other ones. */
  readonly times: number;
}

const KIND_STREAM = 40;
/** The worlds of a fleet have seeds of their own. */
const SEEDS_APART = 1_000;

/**
 * A fleet of some thousand workers. They are taken from several worlds, and each world has its own devices and its own part of the trace.
 * All share the same controllers.
 */
export class FleetWorld implements SimulatedWorld {
  readonly seed: number;
  readonly settings: FieldSettings;
  readonly durationMs: number;
  readonly workers: readonly Worker[];
  readonly tasks: Tasks;
  readonly kinds: number;
  readonly kindOf: Uint8Array;
  readonly slots: Int32Array;
  readonly servers: Int32Array;
  readonly #worlds: readonly FieldWorld[];

  constructor(traces: Traces, seed: number, { seconds, times, load, ...settings }: FleetSettings) {
    this.seed = seed;
    this.durationMs = seconds * 1_000;
    this.#worlds = Array.from(
      { length: times },
      (_, at) =>
        // Their own tasks are not used.
        new FieldWorld(traces, seed * SEEDS_APART + at, {
          load: { queued: 1 },
          minutes: this.durationMs / MINUTE,
        }),
    );
    this.settings = { ...settings, load, minutes: this.durationMs / MINUTE };
    this.workers = this.#worlds.flatMap(({ workers }) => workers);
    const perMs = this.workers.reduce((sum, { cores, slowness, outages }) => {
      const down = outages.reduce(
        (ms, { from, to }) => ms + Math.min(to, this.durationMs) - Math.max(0, from),
        0,
      );
      return sum + ((cores / slowness) * (1 - down / this.durationMs)) / SERVICE_MEAN_MS;
    }, 0);
    this.tasks = makeTasks(seed, load, perMs, this.durationMs);
    this.kinds = settings.kinds ?? 1;
    const kindFrom = settings.kindOf ?? (() => 0);
    this.kindOf = Uint8Array.from({ length: this.tasks.count }, (_, task) =>
      kindFrom(keyedRandom(seed, KIND_STREAM, task)),
    );
    this.slots = Int32Array.from(this.workers, ({ slots }) => slots);
    this.servers = this.slots;
  }

  rtt = (controller: number, worker: number, at: number): number =>
    this.#worldOf(worker).rtt(controller, worker % WORKERS, at);

  rttLater = (controller: number, worker: number, at: number): number =>
    this.#worldOf(worker).rttLater(controller, worker % WORKERS, at);

  canDo = (worker: number, kind: number): boolean => this.settings.canDo?.(worker, kind) ?? true;

  serviceMsAt = ({ task, worker }: AttemptAt): number =>
    (this.tasks.sizeMs[task] ?? 0) * (this.workers[worker]?.slowness ?? 1);

  failsAfterMs(attempt: AttemptAt, number: number, serviceMs: number): number | null {
    const how = this.settings.fails?.(attempt) ?? null;
    if (how !== null) return how === "at_once" ? 1 : serviceMs;
    const { task, worker } = attempt;
    const share = this.#worldOf(worker).faultAt(task, worker % WORKERS, number);
    return share === null ? null : serviceMs * share;
  }

  outage = (worker: number, at: number): Outage | undefined =>
    this.#worldOf(worker).outage(worker % WORKERS, at);

  outagesOf = (worker: number): readonly Outage[] =>
    this.#worldOf(worker).outagesOf(worker % WORKERS);

  #worldOf(worker: number): FieldWorld {
    return this.#worlds[Math.floor(worker / WORKERS)] as FieldWorld;
  }
}
