import type { Millis } from "../base/clock.ts";
import type { AlertSubject } from "../protocol/alert-types.ts";

/** Something that is wrong now, and fires once it has been wrong for `holdFor`. */
export interface Condition extends AlertSubject {
  /** Since when it is wrong. */
  readonly since: Millis;
  readonly holdFor: Millis;
  /** What was measured, and the setting that it is compared with: seconds, peers, tasks, or a share of 1. */
  readonly value: number;
  readonly threshold: number;
  /** What is wrong, for people. */
  readonly message: string;
}

/** An alert that fires. */
export interface Alert extends Omit<Condition, "holdFor"> {
  readonly key: string;
  readonly firedAt: Millis;
  /** Since when nothing is wrong any more; null while it is. */
  readonly clearSince: Millis | null;
}
