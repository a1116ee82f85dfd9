import {
  countOutcome,
  failureRisk,
  noOutcomes,
  type Outcomes,
} from "../../../src/scoring/outcomes.ts";
import { WORKERS } from "../world.ts";
import type { AttemptEnd, FieldMesh, FieldTask, MakeFieldPolicy } from "./field-mesh.ts";

/** Added to a measure, they rank a worker behind all others without them. */
const FAILED_BEFORE = 1e9;
const NO_FREE_SLOT = 1e7;
const REFUSED = 1e11;
const RTT_UNKNOWN_MS = 500;
const SERVICE_UNKNOWN_MS = 1_000;
const PRIOR = { successes: 8, failures: 0.3 };
/** Share of the newest value in the mean service time of a worker and kind. */
const NEWEST_SHARE = 1 / 8;

/** The worker with the least measure of those that may have the task; -1 if there is none. */
function least(
  mesh: FieldMesh,
  { kind, tried, refused }: FieldTask,
  measure: (worker: number) => number,
): number {
  let [best, lowest] = [-1, Infinity];
  for (let worker = 0; worker < WORKERS; worker++) {
    const held = mesh.held[worker] as number;
    const slots = mesh.world.slots[worker] as number;
    if (mesh.connected[worker] === 0 || held > slots || !mesh.handles(worker, kind)) continue;
    let value = measure(worker);
    if (held === slots) value += NO_FREE_SLOT;
    if (tried.includes(worker)) value += FAILED_BEFORE;
    if (refused.some((one) => one.worker === worker)) value += REFUSED;
    if (value < lowest) [best, lowest] = [worker, value];
  }
  return best;
}

function learn(into: Float64Array, at: number, value: number): void {
  const before = into[at] ?? Number.NaN;
  into[at] = Number.isNaN(before) ? value : before + (value - before) * NEWEST_SHARE;
}

/**
 * The plain expected cost: round trip, wait, an exponentially weighted mean of the service time, and a price for the
 * risk of a failure. It knows neither circuits nor load spreading nor exploration.
 */
export const plainCost =
  (failurePriceMs: number): MakeFieldPolicy =>
  (mesh) => {
    const { kinds } = mesh.world;
    const outcomes: Outcomes[] = Array.from({ length: WORKERS }, () => noOutcomes(0));
    const service = new Float64Array(WORKERS * kinds).fill(Number.NaN);
    const overall = new Float64Array(kinds).fill(SERVICE_UNKNOWN_MS);
    const serviceMs = (worker: number, kind: number): number => {
      const own = service[worker * kinds + kind] as number;
      return Number.isNaN(own) ? (overall[kind] as number) : own;
    };
    return {
      pick: (task, now) =>
        least(mesh, task, (worker) => {
          const rtt = mesh.rtts[task.controller * WORKERS + worker]?.smoothedMs ?? RTT_UNKNOWN_MS;
          const mean = serviceMs(worker, task.kind);
          const waits = (mesh.held[worker] as number) - (mesh.world.slots[worker] as number) + 1;
          const waitMs = (Math.max(0, waits) * mean) / (mesh.world.slots[worker] as number);
          const risk = failureRisk(outcomes[worker] as Outcomes, PRIOR, now);
          return rtt + waitMs + mean + failurePriceMs * risk;
        }),
      ended({ kind }: FieldTask, worker: number, end: AttemptEnd, now: number) {
        const outcome = end.outcome === "interrupted" ? "timeout" : end.outcome;
        outcomes[worker] = countOutcome(outcomes[worker] as Outcomes, outcome, now);
        if (end.serviceMs !== null) {
          learn(service, worker * kinds + kind, end.serviceMs);
          learn(overall, kind, end.serviceMs);
        }
        return null;
      },
    };
  };

/** Knows how every attempt would end, and chooses the one that ends first; it does not consider later tasks. */
export const fieldOracle: MakeFieldPolicy = (mesh, foresee) => ({
  pick: (task, now) =>
    least(mesh, task, (worker) => {
      const { endsAt, outcome } = foresee(task, worker, now);
      // The end contains the wait for a slot, so a free slot by itself gives no advantage.
      const full = mesh.held[worker] === mesh.world.slots[worker] ? NO_FREE_SLOT : 0;
      return endsAt - full + (outcome === "success" ? 0 : FAILED_BEFORE);
    }),
  ended: () => null,
});
