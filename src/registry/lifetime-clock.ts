import type { Millis } from "../base/clock.ts";

/**
 * When the first row expires whose table has a lifetime, in memory. It is read from the rows after a wake and after rows were
 * removed, never because of a new row: a new row only brings it forward (`coordinator/storage/lifetimes.ts`).
 */
export class LifetimeClock {
  /** Undefined while it must be read; null while nothing expires. */
  next: Millis | null | undefined = undefined;
  /** When expired rows were removed last; null after a wake. */
  lastRun: Millis | null = null;
}
