import type { Millis } from "../base/clock.ts";

/** What a cell has for the tasks of one kind. */
export interface KindDigest {
  readonly kind: string;
  /** Peers that could take a task of the kind, now or later. */
  readonly peers: number;
  /** How many tasks these peers run at once. */
  readonly slots: number;
  /** How many of these slots are free. */
  readonly free: number;
  /** Tasks that these peers hold beyond their slots: they begin before any that is queued. */
  readonly prefetched: number;
  /** Tasks of the kind that are queued. */
  readonly waiting: number;
  /** How long one of them takes; null: unknown. */
  readonly meanMs: Millis | null;
}

/** The same without the name of the kind. */
export type Load = Omit<KindDigest, "kind">;

/** What a cell says about its peers and its queue, so that callers choose a cell for a task. Bounded in size. */
export interface CellDigest {
  /** The kinds with the most peers and tasks, at most `DIGEST_KINDS_MAX`. Peers of every kind count for each of them. */
  readonly kinds: readonly KindDigest[];
  /** All other kinds together. It has peers if a peer handles every kind, or a kind that is not listed. */
  readonly others: Load;
  /** The labels that these peers have; null: more than `DIGEST_LABELS_MAX`. */
  readonly labels: readonly string[] | null;
  /** Whether the cell accepts no task, because its queue or its database is full. */
  readonly full: boolean;
}

export const DIGEST_KINDS_MAX = 64;
export const DIGEST_LABELS_MAX = 256;

/** What a digest says about a kind. */
export const digestOfKind = (digest: CellDigest, kind: string): Load =>
  digest.kinds.find((one) => one.kind === kind) ?? digest.others;

/** Whether a load can be one. A cell that says anything else must not upset the choice for tasks of all cells. */
export const isPossible = ({ peers, slots, free, prefetched, waiting, meanMs }: Load): boolean =>
  [peers, slots, free, prefetched, waiting, meanMs ?? 0].every(
    (value) => Number.isFinite(value) && value >= 0,
  );

/** What is taken for the duration of a task of a kind that was never done: it only has to be more than nothing. */
const UNKNOWN_MS = 1_000;

/**
 * How long a new task waits in a cell, in milliseconds. Below 0 if a slot is free: the larger the share of free slots, the lower.
 *
 * @param added tasks of the kind that were sent there since the load was known
 * @param age for how long it has been known. Meanwhile peers have worked: a wait is shorter by this time
 */
export function expectedWait(load: Load, added = 0, age: Millis = 0): number {
  const { peers, slots, free, prefetched, waiting, meanMs } = load;
  if (peers === 0) return Number.POSITIVE_INFINITY;
  const left = free - waiting - added;
  if (left > 0) return -left / Math.max(1, slots);
  const ahead = prefetched - left + 1;
  return Math.max(0, (ahead / Math.max(1, slots)) * (meanMs ?? UNKNOWN_MS) - age);
}

/** What the caller of a cell could do with a task instead. */
export interface Alternative {
  readonly kind: string;
  /** How long the task would wait in another cell, as far as the caller knows; null: it has no other cell to choose. */
  readonly wait: Millis | null;
  /** The other cell, if the task has to be accepted by this one, which then hands it on. Absent: the caller submits it there. */
  readonly handOnTo?: number;
}

/**
 * Whether a task should rather go to another cell, where it waits for so long as far as its caller knows: what the cell itself knows is
 * newer. Never while a slot is free here.
 */
export function isBetterElsewhere(own: Load, waitElsewhere: number): boolean {
  const wait = expectedWait(own);
  return wait > 0 && waitElsewhere < wait;
}
