import { HOUR, SECOND, type Millis } from "../base/clock.ts";

/**
 * Start-time fair queueing (Goyal, Vin and Cheng, 1996) over owners. Each owner has a start tag, in milliseconds of work per
 * unit of weight. The owner with the least tag is served next; serving it makes virtual time its tag, and adds the expected
 * service time of the task, divided by the owner's weight, to the tag. An owner that begins to wait has a tag of at least
 * the virtual time: it gets no credit for having been idle, and no punishment for what it got while nobody else waited.
 *
 * The tags belong to owners and not to tasks: the order of an owner's own tasks never changes while they wait
 * (`queue-position.ts`), 10,000 tasks of one owner have one tag, and a task that becomes due later has saved no credit.
 */
export const tagOfArrival = (tag: number | undefined, virtualTime: number): number =>
  Math.max(tag ?? 0, virtualTime);

/** What serving a task adds to its owner's tag. `expected`: the kind's mean service time, null when unknown. */
export const chargeOf = (expected: Millis | null, weight: number): number =>
  Math.min(SERVICE_MAX, Math.max(SERVICE_MIN, expected ?? SERVICE_DEFAULT)) / weight;

/** The service time of a kind that was never done. */
const SERVICE_DEFAULT = 1 * SECOND;
/** A mean outside of these bounds is most likely an error of measurement, and must not shut an owner out for days. */
const SERVICE_MIN = 1;
const SERVICE_MAX = 1 * HOUR;
