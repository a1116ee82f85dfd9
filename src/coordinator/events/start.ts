import type { EventGap } from "../../protocol/http.ts";
import { NUMBERS_PER_MS, type EventLog } from "../../registry/event-log.ts";
import { readPosition, readSince, toPosition } from "./position.ts";

/** Where a reader of the log begins. */
export interface Start {
  /** The number of the last event that the reader has. */
  readonly after: number;
  /** What it may have missed. */
  readonly gap: EventGap | null;
}

/**
 * Where a reader begins. A position that is not of this log, or no longer in it, leads to the oldest events that are kept.
 *
 * @param log one that is followed, so it has begun
 * @param after as in `EventStreamInput`
 */
export function startOf(log: EventLog, after: string | null, mark: string): Start {
  const [oldest, newest] = [log.oldest() ?? 0, log.newest() ?? 0];
  if (after === null) return { after: newest, gap: null };
  if (after === "oldest") return { after: oldest, gap: null };
  const since = readSince(after);
  if (since !== null) {
    const id = Math.min(newest, since * NUMBERS_PER_MS);
    return { after: Math.max(oldest, id), gap: null };
  }
  const { id, isForeign } = readPosition(after, mark);
  const lost = (reason: EventGap["reason"]): Start => ({
    after: oldest,
    gap: { reason, after, until: toPosition(oldest, mark) },
  });
  if (isForeign) return lost("other_mesh");
  // What a position of the mesh says of a cell that it knows nothing of.
  if (id === 0) return { after: oldest, gap: null };
  if (id < oldest) return lost("overwritten");
  if (id > newest) return lost("unknown_position");
  return { after: id, gap: null };
}
