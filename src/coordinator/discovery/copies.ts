import { canonicalJson } from "../../base/canonical-json.ts";
import { MINUTE, SECOND, type Millis } from "../../base/clock.ts";
import { blobKey } from "../../discovery/sealed-records.ts";
import { COPY_KINDS } from "../../registry/outbox.ts";
import type { Registry } from "../../registry/registry.ts";
import type { Context } from "../kernel/context.ts";
import { done, type Handler } from "../kernel/handler.ts";
import { earliest, type DueScope } from "../kernel/job.ts";
import { addToOutbox } from "../kernel/marks.ts";

/** Delay by which changes that come together are copied together. */
const SOON: Millis = SECOND;

/**
 * How often the store of the replicas is looked at for the directory that was written last: within a minute, with the time that a
 * read and a new copy take. A mesh that lists no peer has only an empty directory to lose, and rests.
 */
const CHECK_INTERVAL: Millis = 45 * SECOND;
const IDLE_CHECK_INTERVAL: Millis = 15 * MINUTE;
/** After this time a directory is signed and written again at the next look, unchanged: readers refuse an old one (DS63). */
const RENEWAL_AGE: Millis = 5 * MINUTE;

/**
 * When the published state must be copied for the replicas again; null while nothing changed or the outbox has an
 * entry already. It is derived from what was copied last, so no change is missed. A lost right to read takes effect at
 * once.
 */
function nextCopyDue({ registry, config, now }: DueScope): Millis | null {
  if (!isCopied({ registry, config })) return null;
  if (registry.outbox.dueAt({ kind: "replicate" }) !== null) return null;
  const last = registry.copies.last();
  if (last === null || last.readers !== readersState(registry)) return now;
  if (last.seq !== registry.pointers.seq()) return now + SOON;
  return last.incomplete ? now + MINUTE : null;
}

/** When the store is looked at for the first time: once a directory was written. The entry then remains in the outbox. */
const firstCheckDue = ({ registry, config, now }: DueScope): Millis | null =>
  isCopied({ registry, config }) &&
  registry.copies.last() !== null &&
  registry.outbox.dueAt({ kind: "check_copy" }) === null
    ? now
    : null;

/** When `tickCopies` has work next. */
export const nextCopiesDue = (scope: DueScope): Millis | null =>
  earliest([nextCopyDue(scope), firstCheckDue(scope)]);

/** Whether this cell copies what is published: cell 0 does, which publishes it. */
const isCopied = ({ registry, config }: Pick<DueScope, "registry" | "config">): boolean =>
  config.discovery.replicated && registry.cells.own === 0;

/** The epochs, with those whose reader tokens are no longer valid. */
export const readersState = ({ discoveryEpochs }: Registry): string =>
  canonicalJson(discoveryEpochs.list().map(({ epoch, expelled }) => [epoch, expelled]));

/** Schedules a copy when one is due. Without replicas, removes what the outbox still has for them. */
export function tickCopies(context: Context): void {
  const { registry, config } = context;
  if (!isCopied({ registry, config })) return registry.outbox.removeAll(COPY_KINDS);
  const due = nextCopyDue(context);
  if (due !== null) addToOutbox(context, { kind: "replicate" }, due);
  if (firstCheckDue(context) !== null) scheduleCheck(context);
}

/** Schedules the next look at the store, unless one is due earlier. */
export function scheduleCheck({ registry, now }: Context): void {
  const next = nextCheckAt(registry, now);
  const due = registry.outbox.dueAt({ kind: "check_copy" });
  if (due === null || due > next) registry.outbox.add({ kind: "check_copy" }, next);
}

const nextCheckAt = ({ pointers }: Registry, now: Millis): Millis =>
  now + (pointers.anyListed() ? CHECK_INTERVAL : IDLE_CHECK_INTERVAL);

/**
 * The store of the replicas was looked at. When it does not hold the directory that was written last, or that one is due to be
 * signed anew, a copy is made at once.
 */
export const copyChecked: Handler<"copy_checked"> = (context, { held }) => {
  const { registry, now } = context;
  const last = registry.copies.last();
  const isCurrent = last?.name === held && now - last.issuedAt < RENEWAL_AGE;
  const isUnderWay = registry.outbox.dueAt({ kind: "replicate" }) !== null;
  if (!isCurrent && !isUnderWay) addToOutbox(context, { kind: "replicate" });
  registry.outbox.add({ kind: "check_copy" }, nextCheckAt(registry, now));
  return done;
};

/** A blob was deleted from the mesh's own store: its copy is deleted, too. */
export function scheduleCopyRemoval(context: Context, blobId: string): void {
  if (context.config.discovery.replicated)
    addToOutbox(context, { kind: "drop_copy", key: blobKey(blobId) });
}
