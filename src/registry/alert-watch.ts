import { SECOND, type Millis } from "../base/clock.ts";
import type { MeshEvent } from "../protocol/events.ts";

/** However much changes, alerts are evaluated this often at most. */
const EVALUATE_EVERY: Millis = 15 * SECOND;

/** What an evaluation has found. */
interface Found {
  /** Whether an alert fires or ends now, or begins to end. */
  readonly hasChanges: boolean;
  /** When one will, if nothing else happens. */
  readonly next: Millis | null;
  /** Whether an alert fires or is about to. */
  readonly hasAlerts: boolean;
  /** Whether a circuit is open: that of a peer which has left is an alert again when the peer comes back. */
  readonly hasCircuits: boolean;
  /** Whether an alert about the queue fires. */
  readonly hasQueueAlerts: boolean;
  /** Which alerts the size of the database permits (`storageLevel`). */
  readonly storage: string;
}

/**
 * When alerts are evaluated next, in memory. After a wake they are evaluated by the first command, which writes nothing unless an alert
 * changes.
 */
export class AlertWatch {
  readonly #onChange: () => void;
  #evaluatedAt: Millis | null = null;
  #found: Found = {
    hasChanges: false,
    next: null,
    hasAlerts: false,
    hasCircuits: false,
    hasQueueAlerts: false,
    storage: "",
  };
  #isChanged = false;
  /** Open transactions, and whether they have evaluated. */
  #depth = 0;
  #isEvaluated = false;

  /** @param onChange called when the next evaluation may be due earlier */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** An event was recorded. Those of peers, lists and circuits may be the beginning or the end of an alert. */
  happened({ type }: MeshEvent): void {
    if (type.startsWith("task.") || type.startsWith("alert.")) return;
    // A peer that joins or comes back can only end an alert, unless it has an open circuit.
    const isArrival = type === "peer.discovered" || type === "peer.active";
    const { hasAlerts, hasCircuits } = this.#found;
    if (!isArrival || hasAlerts || hasCircuits || this.#evaluatedAt === null) this.changed();
  }

  /** Something has changed that alerts are about. */
  changed(): void {
    if (this.#isChanged) return;
    this.#isChanged = true;
    this.#onChange();
  }

  /** Whether an evaluation may find anything new, and is not too soon after the last one. */
  isDue(now: Millis): boolean {
    const at = this.#evaluatedAt;
    const { next } = this.#found;
    if (at === null || now < at || (next !== null && next <= now)) return true;
    return this.#isChanged && now >= at + EVALUATE_EVERY;
  }

  evaluated(found: Found, now: Millis): void {
    this.#evaluatedAt = now;
    this.#found = found;
    this.#isChanged = false;
    if (this.#depth > 0) this.#isEvaluated = true;
  }

  /** When a tick is needed; null when none is. */
  due(now: Millis): Millis | null {
    const { hasChanges, next } = this.#found;
    if (hasChanges) return now;
    if (!this.#isChanged || this.#evaluatedAt === null) return next;
    const again = this.#evaluatedAt + EVALUATE_EVERY;
    return next === null ? again : Math.min(next, again);
  }

  /** What the last evaluation has found. */
  get found(): Found {
    return this.#found;
  }

  begin(): void {
    this.#depth++;
  }

  commit(): void {
    if (--this.#depth === 0) this.#isEvaluated = false;
  }

  /** What was evaluated may not have been written. */
  rollback(): void {
    this.#depth--;
    if (this.#isEvaluated) {
      this.#evaluatedAt = null;
      this.#onChange();
    }
    if (this.#depth === 0) this.#isEvaluated = false;
  }
}
