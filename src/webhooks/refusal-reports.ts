import { SECOND, type Millis } from "../base/clock.ts";
import type { ErrorCode } from "../protocol/errors.ts";

/** Reports of one isolate are at least so far apart. */
export const REFUSAL_REPORT_INTERVAL: Millis = 2 * SECOND;
/** Entries of one report. Others wait for the next one. */
export const REFUSAL_REPORT_ENTRIES_MAX = 50;
/** Whoever reports may take so long for one report; then somebody else does, because the platform has ended it. */
const CLAIM: Millis = 60 * SECOND;

export const REFUSAL_DETAIL_CHARS_MAX = 300;

/** One refused delivery, without its body. */
export interface Refusal {
  /** The name and the ID of the source to which it was sent. */
  readonly source: string;
  readonly sourceId: string;
  readonly code: ErrorCode;
  readonly detail: string;
  /** Whether the source's list of deliveries contains it, too. */
  readonly recorded: boolean;
  readonly method: string;
  /** As `refusalHeaders` returns them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly address: string;
  /** The size of its body as its headers state it; null when they do not. */
  readonly bytes: number | null;
}

export interface Repeated {
  readonly firstAt: Millis;
  readonly lastAt: Millis;
  readonly count: number;
}

/** The newest of some refusals for one reason, and how many there were. */
export type RefusalCount = Refusal & Repeated;

export interface RefusalReport {
  readonly refused: readonly RefusalCount[];
  /** Deliveries to names that no source has. */
  readonly unknownSources: Repeated | null;
}

/**
 * Refused deliveries that one isolate has counted and not reported yet. There are at most as many entries as sources times
 * reasons. Whoever counts one asks with `claim` whether it must report, after that time: a flood causes one report in each interval.
 */
export class RefusalReports {
  readonly #counts = new Map<string, RefusalCount>();
  #unknown: Repeated | null = null;
  #nextAt: Millis = 0;
  #claimedUntil: Millis = 0;

  add(refusal: Refusal, now: Millis): void {
    this.#count({ ...refusal, firstAt: now, lastAt: now, count: 1 });
  }

  /** Counts a delivery to a name that no source has. The name is not kept: anybody can invent as many as they like. */
  addUnknown(now: Millis): void {
    this.#unknown = merged(this.#unknown, { firstAt: now, lastAt: now, count: 1 });
  }

  get isEmpty(): boolean {
    return this.#counts.size === 0 && this.#unknown === null;
  }

  /** The time after which the caller must report; null when there is nothing to report, or somebody else does it. */
  claim(now: Millis): Millis | null {
    if (this.isEmpty || now < this.#claimedUntil) return null;
    this.#claimedUntil = now + CLAIM;
    return Math.max(0, this.#nextAt - now);
  }

  /** What the caller that has claimed it reports now. */
  take(now: Millis): RefusalReport {
    this.#nextAt = now + REFUSAL_REPORT_INTERVAL;
    this.#claimedUntil = now + CLAIM;
    const entries = [...this.#counts].slice(0, REFUSAL_REPORT_ENTRIES_MAX);
    for (const [key] of entries) this.#counts.delete(key);
    const unknownSources = this.#unknown;
    this.#unknown = null;
    return { refused: entries.map(([, entry]) => entry), unknownSources };
  }

  /** The coordinator has not received the report. */
  putBack({ refused, unknownSources }: RefusalReport): void {
    for (const entry of refused) this.#count(entry);
    if (unknownSources !== null) this.#unknown = merged(this.#unknown, unknownSources);
  }

  /** The caller that has claimed it reports no more. */
  release(): void {
    this.#claimedUntil = 0;
  }

  #count(refusal: RefusalCount): void {
    const key = `${refusal.source} ${refusal.sourceId} ${refusal.code} ${refusal.recorded}`;
    this.#counts.set(key, merged(this.#counts.get(key) ?? null, refusal));
  }
}

/** Both together, with what the newer one says. */
function merged<T extends Repeated>(one: T | null, other: T): T {
  if (one === null) return other;
  const newer = one.lastAt > other.lastAt ? one : other;
  return {
    ...newer,
    firstAt: Math.min(one.firstAt, other.firstAt),
    count: one.count + other.count,
  };
}
