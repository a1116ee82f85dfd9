import type { PeerId } from "./ids.ts";

/**
 * `peer_down`: a peer was lost and has not come back. `mass_failure`: many were lost at once. `circuit_open`: a peer fails too often.
 * `storage`: the database is nearly full. `queue_old`: a task of a kind waits for too long. `queue_long`: too many tasks wait.
 * `cell_down`: a cell does not answer. `cell_messages`: a cell that answers does not take its messages.
 */
export const ALERT_TYPES = [
  "peer_down",
  "mass_failure",
  "circuit_open",
  "storage",
  "queue_old",
  "queue_long",
  "cell_down",
  "cell_messages",
] as const;
export type AlertType = (typeof ALERT_TYPES)[number];

/** What an alert is about. All are null for the mesh, and for the subjects of a type beyond those that have alerts of their own. */
export interface AlertSubject {
  readonly alert: AlertType;
  readonly peer: PeerId | null;
  readonly kind: string | null;
  /** The cell, not the one that says it. */
  readonly cell: number | null;
}

/** The key of an alert: the same subject has the same key each time. No ID and no kind contains a colon. */
export const alertKey = ({ alert, peer, kind, cell }: AlertSubject): string =>
  [alert, peer, kind, cell].filter((part) => part !== null).join(":");
