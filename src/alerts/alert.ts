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

/** The cell that says it. */
export interface AlertCell {
  readonly own: number;
  /** Whether it is the only one, and always was. */
  readonly isSingle: boolean;
}

/**
 * The key and the message of an alert as others see them. Peers belong to one cell. What is about no peer, such as a long queue, each cell
 * says of itself: with a key of its own, so that nobody takes the alerts of two cells for one. The keys of cell 0 are those of a mesh of one cell.
 */
export function shownAs(
  { key, peer, message }: Pick<Alert, "key" | "peer" | "message">,
  { own, isSingle }: AlertCell,
): Pick<Alert, "key" | "message"> {
  if (isSingle || peer !== null) return { key, message };
  return { key: own === 0 ? key : `${key}:cell:${own}`, message: `${message} (cell ${own})` };
}

/** The cell that an alert is about, as others see it: absent if it is about none. */
export const cellOf = (cell: number | null): { readonly cell?: number } =>
  cell === null ? {} : { cell };

/** An alert that fires. */
export interface Alert extends Omit<Condition, "holdFor"> {
  readonly key: string;
  readonly firedAt: Millis;
  /** Since when nothing is wrong any more; null while it is. */
  readonly clearSince: Millis | null;
}
