import { ADVERTISED_MAX } from "../../protocol/constants.ts";
import { EVENT_LIMITS } from "../../registry/event-log.ts";

/** Shares of the limit of the database. Between them lies what each kind of work may still use. */
const SHARES = {
  /** Above this, ended tasks are removed, until the database is as small as `pruneTo`: not one task at a time. */
  pruneAbove: 0.8,
  pruneTo: 0.75,
  /** Above this, also tasks that have just ended are removed, of owners that have more than their share. */
  hurry: 0.85,
  /** Above this, no task is accepted, and nobody who is unknown may add anything. */
  submissions: 0.9,
  /** Above this, the operator adds nothing either. What runs, ends or is removed goes on. */
  administration: 0.97,
  /** Tasks of one owner that have not ended, unless its `max_bytes` says otherwise. */
  owner: 1 / 8,
  /** Contents of webhook deliveries, of all sources together. */
  deliveries: 0.05,
  /** The event log. */
  events: 0.01,
} as const;

/** Bytes of the limit for each row of a table that others than the operator fill: a small database keeps fewer rows. */
const LIMIT_PER_ROW = {
  /** A choice has about 6 KB. */
  choice: 100_000,
  /** An advert has up to 600 bytes with its index entries. */
  advert: 50_000,
  /** The record of a peer has up to 10 KB with its measurements, most have 2 KB. */
  peer: 40_000,
  /** A tombstone, a rotated key, a holder of keys or an audit entry has 150 to 400 bytes. */
  small: 10_000,
  /** A commit of a few tasks has about 1 KB of events. */
  event: 100_000,
} as const;

/** What the parts of the database may take, all in bytes or rows. */
export interface Budgets {
  readonly limit: number;
  readonly pruneAbove: number;
  readonly pruneTo: number;
  readonly hurry: number;
  readonly submissions: number;
  readonly administration: number;
  readonly owner: number;
  readonly deliveries: number;
  /** Of the event log. */
  readonly eventBytes: number;
  readonly eventRows: number;
  readonly choiceRows: number;
  readonly advertRows: number;
  readonly peerRows: number;
  /** Of each table with small rows that strangers cause: tombstones, rotated keys, holders of keys, audit entries. */
  readonly smallRows: number;
}

/** The budgets of a database that may have so many bytes. */
export const budgetsOf = (limit: number): Budgets => {
  const share = (of: number): number => Math.floor(limit * of);
  const rows = (per: number, max: number): number => Math.min(max, Math.floor(limit / per));
  return {
    limit,
    pruneAbove: share(SHARES.pruneAbove),
    pruneTo: share(SHARES.pruneTo),
    hurry: share(SHARES.hurry),
    submissions: share(SHARES.submissions),
    administration: share(SHARES.administration),
    owner: share(SHARES.owner),
    deliveries: share(SHARES.deliveries),
    eventBytes: share(SHARES.events),
    eventRows: rows(LIMIT_PER_ROW.event, EVENT_LIMITS.rows),
    choiceRows: rows(LIMIT_PER_ROW.choice, 100_000),
    advertRows: rows(LIMIT_PER_ROW.advert, ADVERTISED_MAX),
    peerRows: rows(LIMIT_PER_ROW.peer, 250_000),
    smallRows: rows(LIMIT_PER_ROW.small, 1_000_000),
  };
};
