import type { Millis } from "../../base/clock.ts";
import { JOBS } from "./domains.ts";
import { earliest, type DueScope, type Job } from "./job.ts";

/**
 * When the jobs are due. A due time is read again only after one of the tables was written that it is computed from, so it
 * may be too early (the tick then does nothing) but never too late.
 */
export class DueTimes {
  readonly #known = new Map<Job, Millis | null>();

  /** When `tick` is needed next; null when no job waits for a time. */
  next(scope: DueScope): Millis | null {
    const { changes } = scope.registry;
    for (const job of JOBS) {
      const { due } = job;
      if (due !== undefined && (!this.#known.has(job) || changes.any(due.reads)))
        this.#known.set(job, due.at(scope));
    }
    changes.clear();
    return earliest(this.#known.values());
  }

  /** Reads every due time again at the next use: a tick has done what was due. */
  forget(): void {
    this.#known.clear();
  }
}
