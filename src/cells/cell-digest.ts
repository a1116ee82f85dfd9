/** What a cell has for the tasks of one kind. */
export interface KindDigest {
  readonly kind: string;
  /** Peers that could take a task of the kind, now or later. */
  readonly peers: number;
  /** Places that they have free. */
  readonly free: number;
  /** Tasks of the kind that are queued. */
  readonly waiting: number;
  /** How long one of them takes; null: unknown. */
  readonly meanMs: number | null;
}

/** What a cell says about its peers and its queue, so that callers choose a cell for a task. Bounded in size. */
export interface CellDigest {
  /** The kinds with the most peers and tasks, at most `DIGEST_KINDS_MAX`. Peers of every kind count for each of them. */
  readonly kinds: readonly KindDigest[];
  /** All other kinds together. It has peers if a peer handles every kind, or a kind that is not listed. */
  readonly others: Omit<KindDigest, "kind">;
  /** The labels that these peers have; null: more than `DIGEST_LABELS_MAX`. */
  readonly labels: readonly string[] | null;
  /** Whether the cell accepts no task, because its queue or its database is full. */
  readonly full: boolean;
}

export const DIGEST_KINDS_MAX = 64;
export const DIGEST_LABELS_MAX = 256;

/** What a digest says about a kind. */
export const digestOfKind = (digest: CellDigest, kind: string): Omit<KindDigest, "kind"> =>
  digest.kinds.find((one) => one.kind === kind) ?? digest.others;

/** What is taken for the duration of a task of a kind that was never done: it only has to be more than nothing. */
const UNKNOWN_MS = 1_000;

/**
 * How long a new task of a kind waits in a cell, as far as its digest says, in milliseconds. Below 0 if a place is free: the more places are free
 * for each peer, the lower.
 *
 * @param added tasks of the kind that were sent there since the digest was made
 */
export function expectedWait(digest: CellDigest, kind: string, added: number): number {
  const { peers, free, waiting, meanMs } = digestOfKind(digest, kind);
  if (digest.full || peers === 0) return Number.POSITIVE_INFINITY;
  const left = free - waiting - added;
  return left > 0 ? -left / peers : ((1 - left) / peers) * (meanMs ?? UNKNOWN_MS);
}
