import { MINUTE, type Millis } from "../base/clock.ts";
import type { PeerId } from "../protocol/ids.ts";

/** After this long a task given counts half towards its peer's share. */
const HALF_LIFE: Millis = 10 * MINUTE;
/** Choices beyond which older ones no longer matter. */
const COUNTED_MAX = 10_000;
/** Half-lives after which weights are counted anew: a double holds a thousand doublings. */
const SPAN_MAX = 500;

/** A task given: to whom, and when. */
export interface Given {
  readonly peerId: PeerId;
  readonly at: Millis;
}

/** Where shares are read from after a wake. */
export interface SharesSource {
  /** The newest choices, at most so many. */
  newest(limit: number): readonly Given[];
}

/**
 * Which share of the latest tasks each peer got, in memory. An older one weighs less because each later one weighs more:
 * so nothing has to fade.
 */
export class Shares {
  readonly #source: SharesSource;
  readonly #weights = new Map<PeerId, number>();
  #total = 0;
  /** Weights are doublings since then; null while they must be read. */
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
    if (this.#epoch === null) return; // it will be read with the others
    const weight = 2 ** ((given.at - this.#epoch) / HALF_LIFE);
    this.#weights.set(given.peerId, (this.#weights.get(given.peerId) ?? 0) + weight);
    this.#total += weight;
  }

  /** What was counted may have been undone, or is too old: it is read again when it is asked for. */
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
