import { MINUTE } from "../../../src/base/clock.ts";
import { keyedRandom } from "../keyed.ts";
import type { Load } from "../tasks.ts";
import type { Traces } from "../traces.ts";
import { World, WORKERS, type Outage } from "../world.ts";

/** What is wrong in a world. Everything that is absent is as usual. */
export interface FieldSettings {
  readonly load: Load;
  readonly minutes: number;
  /** Every round trip is multiplied by it. */
  readonly rttScale?: number;
  /** Number of kinds, equally frequent unless `kindOf` says otherwise. */
  readonly kinds?: number;
  /** A task's kind, from a number in [0, 1). */
  readonly kindOf?: (random: number) => number;
  /** Whether peers announce their kinds. A peer that does not is offered every kind, and refuses what it cannot do. */
  readonly announced?: boolean;
  readonly canDo?: (worker: number, kind: number) => boolean;
  /** How an attempt fails besides by chance: at once, or within the time that it would take; null: it does not. */
  readonly fails?: (attempt: AttemptAt) => "at_once" | "late" | null;
  /** Factor of the service time. */
  readonly slowness?: (worker: number, kind: number, at: number) => number;
  /** Slots that a worker announces, and serves one task after another. */
  readonly serialSlots?: (worker: number) => number | null;
  /** Times in which a worker is disconnected, in addition to those of its system. */
  readonly outages?: (worker: number) => readonly Outage[];
}

/** An attempt as the world sees it. */
export interface AttemptAt {
  readonly task: number;
  readonly worker: number;
  readonly kind: number;
  readonly at: number;
}

/** A time after which a fault shows when the attempt fails at once. */
const AT_ONCE_MS = 1;
const STREAM = { kind: 30, choice: 31, late: 32 } as const;

/** A world in which peers are broken in the ways of the field. */
export class FieldWorld extends World {
  readonly settings: FieldSettings;
  readonly kinds: number;
  readonly kindOf: Uint8Array;
  /** Slots that each worker announces. */
  readonly slots: Int32Array;
  /** How many tasks each runs at once. */
  readonly servers: Int32Array;
  readonly #outages: readonly (readonly Outage[])[];

  constructor(traces: Traces, seed: number, settings: FieldSettings) {
    super(traces, seed, settings.load, 1, settings.minutes * MINUTE);
    this.settings = settings;
    this.kinds = settings.kinds ?? 1;
    const kindFrom = settings.kindOf ?? ((random) => Math.floor(random * this.kinds));
    this.kindOf = Uint8Array.from({ length: this.tasks.count }, (_, task) =>
      kindFrom(keyedRandom(seed, STREAM.kind, task)),
    );
    const serial = (worker: number) => settings.serialSlots?.(worker) ?? null;
    this.slots = Int32Array.from(this.workers, ({ slots }, worker) => serial(worker) ?? slots);
    this.servers = Int32Array.from(this.workers, ({ slots }, worker) =>
      serial(worker) === null ? slots : 1,
    );
    this.#outages = this.workers.map(({ outages }, worker) =>
      mergedOutages(outages, settings.outages?.(worker) ?? []),
    );
  }

  override rtt(controller: number, worker: number, at: number): number {
    return super.rtt(controller, worker, at) * (this.settings.rttScale ?? 1);
  }

  canDo(worker: number, kind: number): boolean {
    return this.settings.canDo?.(worker, kind) ?? true;
  }

  serviceMsAt({ task, worker, kind, at }: AttemptAt): number {
    return this.serviceMs(task, worker) * (this.settings.slowness?.(worker, kind, at) ?? 1);
  }

  /** How long an attempt runs until it fails; null when it succeeds. `number` counts the attempts of the task. */
  failsAfterMs(attempt: AttemptAt, number: number, serviceMs: number): number | null {
    const how = this.settings.fails?.(attempt) ?? null;
    if (how === "at_once") return AT_ONCE_MS;
    const { task, worker } = attempt;
    if (how === "late")
      return serviceMs * keyedRandom(this.seed, STREAM.late, task * WORKERS + worker, number);
    const share = this.faultAt(task, worker, number);
    return share === null ? null : serviceMs * share;
  }

  override outage(worker: number, at: number): Outage | undefined {
    return this.#outages[worker]?.find(({ to }) => to > at);
  }

  outagesOf(worker: number): readonly Outage[] {
    return this.#outages[worker] ?? [];
  }
}

/** What a simulation reads of a world. */
export type SimulatedWorld = Pick<
  FieldWorld,
  | "seed"
  | "settings"
  | "durationMs"
  | "workers"
  | "tasks"
  | "kinds"
  | "kindOf"
  | "slots"
  | "servers"
  | "rtt"
  | "rttLater"
  | "canDo"
  | "serviceMsAt"
  | "failsAfterMs"
  | "outage"
  | "outagesOf"
>;

/** The part of all workers that a world's trouble concerns: the same for every policy, another with each seed. */
export const isChosen = (seed: number, worker: number, share: number): boolean =>
  keyedRandom(seed, STREAM.choice, worker) < share;

function mergedOutages(some: readonly Outage[], others: readonly Outage[]): readonly Outage[] {
  if (others.length === 0) return some;
  const merged: Outage[] = [];
  for (const next of [...some, ...others].toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last === undefined || next.from > last.to) merged.push(next);
    else merged[merged.length - 1] = { ...last, to: Math.max(last.to, next.to) };
  }
  return merged;
}
