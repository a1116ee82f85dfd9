import { canonicalJson } from "../../base/canonical-json.ts";
import { MINUTE, SECOND, type Millis } from "../../base/clock.ts";
import { blobKey } from "../../discovery/sealed-records.ts";
import { COPY_KINDS } from "../../registry/outbox.ts";
import type { Registry } from "../../registry/registry.ts";
import type { Context } from "../kernel/context.ts";
import type { DueScope } from "../kernel/job.ts";
import { addToOutbox } from "../kernel/marks.ts";

/** Delay by which changes that come together are copied together. */
const SOON: Millis = SECOND;

/**
 * When the published state must be copied for the replicas again; null while nothing changed or the outbox has an
 * entry already. It is derived from what was copied last, so no change is missed. A lost right to read takes effect at
 * once.
 */
export function nextCopyDue({ registry, config, now }: DueScope): Millis | null {
  if (!config.discovery.replicated) return null;
  if (registry.outbox.dueAt({ kind: "replicate" }) !== null) return null;
  const last = registry.copies.last();
  if (last === null || last.readers !== readersState(registry)) return now;
  if (last.seq !== registry.pointers.seq()) return now + SOON;
  return last.incomplete ? now + MINUTE : null;
}

/** The epochs, with those whose reader tokens are no longer valid. */
export const readersState = ({ discoveryEpochs }: Registry): string =>
  canonicalJson(discoveryEpochs.list().map(({ epoch, expelled }) => [epoch, expelled]));

/** Schedules a copy when one is due. Without replicas, removes what the outbox still has for them. */
export function tickCopies(context: Context): void {
  const { registry, config } = context;
  if (!config.discovery.replicated) return registry.outbox.removeAll(COPY_KINDS);
  const due = nextCopyDue(context);
  if (due !== null) addToOutbox(context, { kind: "replicate" }, due);
}

/** A blob was deleted from the mesh's own store: its copy is deleted, too. */
export function scheduleCopyRemoval(context: Context, blobId: string): void {
  if (context.config.discovery.replicated)
    addToOutbox(context, { kind: "drop_copy", key: blobKey(blobId) });
}
