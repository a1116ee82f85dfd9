import { MINUTE, type Millis } from "../base/clock.ts";
import type { PeerId } from "../protocol/ids.ts";

/** After this time an assigned task counts half toward its peer's share. */
const HALF_LIFE: Millis = 10 * MINUTE;
/** Number of choices beyond which older ones do not matter any more. */
const COUNTED_MAX = 10_000;
/** Half-lives after which weights are computed again, because a double holds about a thousand doublings. */
const SPAN_MAX = 500;

/** An assigned task: its peer, and when. */
export interface Given {
  readonly peerId: PeerId;
  readonly at: Millis;
}

/** Where shares are read from after a wake: the stored choices. */
export interface SharesSource {
  /** The newest choices, at most so many. */
  newest(limit: number): readonly Given[];
}

/**
 * Each peer's share of the latest tasks, in memory. Each task weighs more than the earlier ones, so that no weight has
 * to be decayed.
 */
export class Shares {
  readonly #source: SharesSource;
  readonly #weights = new Map<PeerId, number>();
  #total = 0;
  /** The time from which weights double; null while they must be read. */
  #epoch: Millis | null = null;

  constructor(source: SharesSource) {
    this.#source = source;
  }

  /** 0..1. */
  of(peerId: PeerId, now: Millis): number {
    this.#ready(now);
    return this.#total === 0 ? 0 : (this.#weights.get(peerId) ?? 0) / this.#total;
  }

  count(given: Given): void {
    if (this.#epoch === null) return; // it is read with the others
    const weight = 2 ** ((given.at - this.#epoch) / HALF_LIFE);
    this.#weights.set(given.peerId, (this.#weights.get(given.peerId) ?? 0) + weight);
    this.#total += weight;
  }

  /** Forgets the counts, because a transaction failed or they are too old. They are read again at the next use. */
  forget(): void {
    this.#epoch = null;
    this.#weights.clear();
    this.#total = 0;
  }

  #ready(now: Millis): void {
    if (this.#epoch !== null && now - this.#epoch > SPAN_MAX * HALF_LIFE) this.forget();
    if (this.#epoch !== null) return;
    this.#epoch = now;
    for (const given of this.#source.newest(COUNTED_MAX)) this.count(given);
  }
}
