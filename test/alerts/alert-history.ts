import { expect } from "vitest";
import type { Alert } from "../../src/alerts/alert.ts";
import { conditionsOf, type Facts } from "../../src/alerts/conditions.ts";
import { evaluate, type Evaluation } from "../../src/alerts/evaluate.ts";
import { limitConditions } from "../../src/alerts/limit-conditions.ts";
import { DEFAULT_THRESHOLDS, type AlertThresholds } from "../../src/alerts/thresholds.ts";
import { alertKey } from "../../src/protocol/alert-types.ts";

export const START = 1_795_348_800_000;

/** A mesh in which nothing is wrong. */
const WELL: Facts = {
  lost: [],
  connected: () => 0,
  returnsWithin: 0,
  openCircuits: [],
  storage: { used: 0, limit: 100 },
  oldest: new Map(),
  nextWaiting: null,
  waiting: 0,
  cells: { silent: [], links: [] },
};

/** Alerts as a coordinator keeps them, without a database. */
export class AlertHistory {
  readonly firing = new Map<string, Alert>();
  /** What was told, in order: `+` and the key of an alert that fired, `-` and that of one that ended. */
  readonly told: string[] = [];
  readonly thresholds: AlertThresholds;
  isWatched: (alert: Alert) => boolean = () => true;

  constructor(thresholds: Partial<AlertThresholds> = {}) {
    this.thresholds = { ...DEFAULT_THRESHOLDS, ...thresholds };
  }

  /** Evaluates until nothing changes any more. An alert that fires twice, or ends without having fired, is a fault. */
  evaluate(facts: Partial<Facts>, now: number): Evaluation {
    for (;;) {
      const found = this.#once({ ...WELL, ...facts }, now);
      for (const { key } of found.resolved) {
        expect(this.firing.delete(key)).toBe(true);
        this.told.push(`-${key}`);
      }
      for (const alert of found.fired) {
        expect(this.firing.has(alert.key)).toBe(false);
        this.firing.set(alert.key, alert);
        this.told.push(`+${alert.key}`);
      }
      for (const alert of found.changed) {
        expect(this.firing.has(alert.key)).toBe(true);
        this.firing.set(alert.key, alert);
      }
      if (found.fired.length + found.resolved.length + found.changed.length === 0) return found;
    }
  }

  #once(facts: Facts, now: number): Evaluation {
    const { firing, thresholds } = this;
    const isFiring = (subject: Parameters<typeof alertKey>[0]) => firing.has(alertKey(subject));
    const conditions = conditionsOf(facts, thresholds, isFiring, now);
    const limited = limitConditions(conditions, new Set(firing.keys()), now);
    return evaluate(firing, limited, this.isWatched, thresholds.resolveAfter, now);
  }
}
