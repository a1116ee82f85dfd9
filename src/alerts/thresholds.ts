import { MINUTE, type Millis } from "../base/clock.ts";

/** When alerts fire. Null: an alert of this type never does. */
export interface AlertThresholds {
  /** A peer that was lost has not been back for so long. */
  readonly peerDown: Millis | null;
  /** So many peers were lost at once. */
  readonly massFailure: number | null;
  /** The circuit of a peer has been open for so long. */
  readonly circuitOpen: Millis | null;
  /** The database has this share of its limit, 0..1. */
  readonly storage: number | null;
  /** The oldest task of a kind that may be offered waits for so long. */
  readonly queueOld: Millis | null;
  /** So many tasks wait. */
  readonly queueLong: number | null;
  /** A cell of a mesh of several has not answered for so long. */
  readonly cellDown: Millis | null;
  /** The oldest message for a cell that answers has waited for so long. */
  readonly cellMessages: Millis | null;
  /** An alert ends once nothing has been wrong for so long. */
  readonly resolveAfter: Millis;
}

/**
 * A peer that restarts, or a laptop that changes its network, is back within five minutes. Above 80 % of the limit ended tasks are
 * removed, and above 90 % no task is accepted: 85 % means that removing does not suffice. Half of the longest queue leaves time to act. A cell that
 * restarts answers within seconds, and messages are taken at once; ten minutes are about 15 attempts.
 */
export const DEFAULT_THRESHOLDS: AlertThresholds = {
  peerDown: 5 * MINUTE,
  massFailure: 5,
  circuitOpen: 5 * MINUTE,
  storage: 0.85,
  queueOld: 15 * MINUTE,
  queueLong: 5_000,
  cellDown: 2 * MINUTE,
  cellMessages: 10 * MINUTE,
  resolveAfter: 2 * MINUTE,
};
