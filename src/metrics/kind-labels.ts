import { DAY, HOUR, type Millis } from "../base/clock.ts";
import { KIND_LABELS_MAX, OTHER } from "./family.ts";

/** A kind that no task had for so long may lose its label to a new kind. */
const UNUSED_FOR: Millis = DAY;

/**
 * The kinds of tasks that have a label value of their own. A kind keeps its label, so that its series go on: one that comes when all
 * are taken is counted as `OTHER`, unless another kind has not been used for a day.
 */
export class KindLabels {
  /** The hour since 1970 in which each kind was used last. */
  readonly #usedIn: Map<string, number>;
  readonly #onRemoved: (kind: string) => void;

  /** @param onRemoved called with a kind that has lost its label */
  constructor(usedIn: Iterable<readonly [string, number]>, onRemoved: (kind: string) => void) {
    this.#usedIn = new Map([...usedIn].slice(0, KIND_LABELS_MAX));
    this.#onRemoved = onRemoved;
  }

  /** The label of a kind that is used now. */
  use(kind: string, now: Millis): string {
    const hour = Math.floor(now / HOUR);
    if (!this.#usedIn.has(kind) && this.#usedIn.size >= KIND_LABELS_MAX && !this.#forgetOne(hour))
      return OTHER;
    this.#usedIn.set(kind, hour);
    return kind;
  }

  /** The label of a kind. */
  of = (kind: string): string => (this.#usedIn.has(kind) ? kind : OTHER);

  /** The kinds with a label, and the hour in which each was used last. */
  entries = (): Iterable<readonly [string, number]> => this.#usedIn.entries();

  /** Forgets the kind that was used longest ago, if that is long enough. */
  #forgetOne(hour: number): boolean {
    let [oldest, usedIn] = ["", Infinity];
    for (const [kind, at] of this.#usedIn) if (at < usedIn) [oldest, usedIn] = [kind, at];
    if (hour - usedIn < UNUSED_FOR / HOUR) return false;
    this.#usedIn.delete(oldest);
    this.#onRemoved(oldest);
    return true;
  }
}
