import type { Millis } from "../../base/clock.ts";
import {
  KV_BUDGET_RETRY_INTERVAL,
  KV_WRITES_BASE_PER_DAY,
  KV_WRITES_PER_PEER_DAY,
} from "../../protocol/constants.ts";
import type { KvCount } from "../../registry/kv-writes.ts";
import type { Context } from "../kernel/context.ts";
import { connectedPeers, type Subject } from "./subjects.ts";

/** A record causes one write, and one deletion at most. */
const WRITES_PER_RECORD = 2;

/**
 * When a record may be stored for a peer: now, or later. Three limits hold (DS21, DS46): that of the whole mesh, that of all strangers
 * together, who never use up what listed peers need, and the peer's own share. A record that is sealed again for a new epoch
 * (`isReseal`) is not of the peer's doing and spends none of its share: the old epoch ends only when all are sealed again.
 */
export function recordAllowedAt(context: Context, subject: Subject, isReseal: boolean): Millis {
  const { registry, now } = context;
  if (!isReseal) {
    const due = registry.kvShares.availableAt(subject.id, now);
    if (due > now) return due;
  }
  const isStranger = !subject.isListed();
  const within = isWithin(registry.kvWrites.spent(now), isStranger);
  if (within) return now;
  // There may be more peers now than when the hour was last counted.
  registry.kvWrites.count(now, connectedPeers(context));
  const counted = registry.kvWrites.spent(now);
  return isWithin(counted, isStranger) ? now : now + KV_BUDGET_RETRY_INTERVAL;
}

/** Counts a record that is about to be stored. */
export function spendRecord({ registry, now }: Context, subject: Subject, isReseal: boolean): void {
  const isStranger = !subject.isListed();
  registry.kvWrites.count(now, { writes: 1, strangerRecords: Number(isStranger) });
  if (!isReseal) registry.kvShares.spend(subject.id, now);
}

/** How many writes and deletions a day may have with so many connected peers at most. */
export const budgetOf = (peers: number): number =>
  KV_WRITES_BASE_PER_DAY + KV_WRITES_PER_PEER_DAY * peers;

/** Whether what was written in the last day leaves room for one more record. */
function isWithin(
  { writes, peers, strangerRecords, strangers }: KvCount,
  isStranger: boolean,
): boolean {
  const ofStrangers = KV_WRITES_BASE_PER_DAY / 2 + KV_WRITES_PER_PEER_DAY * strangers;
  return (
    writes < budgetOf(peers) && (!isStranger || strangerRecords * WRITES_PER_RECORD < ofStrangers)
  );
}
