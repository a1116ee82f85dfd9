import { canonicalJson } from "../../base/canonical-json.ts";
import { MINUTE, SECOND, type Millis } from "../../base/clock.ts";
import { blobKey } from "../../discovery/publisher.ts";
import { COPY_KINDS } from "../../registry/outbox.ts";
import type { Registry } from "../../registry/registry.ts";
import type { Context } from "../kernel/context.ts";

/** Changes that come together are copied together. */
const SOON: Millis = SECOND;
/** The outbox's subject of `replicate`: there is one directory. */
export const DIRECTORY = "directory";

/**
 * When what is published must be copied for the replicas again; null while nothing asks for it, or the outbox knows.
 * It is read off what was copied last, so no change can be forgotten. Whoever lost the right to read loses it at once.
 */
export function nextCopyDue(
  { registry, config }: Pick<Context, "registry" | "config">,
  now: Millis,
): Millis | null {
  if (!config.discovery.replicated) return null;
  if (registry.outbox.dueAt("replicate", DIRECTORY) !== null) return null;
  const last = registry.copies.last();
  if (last === null || last.readers !== readersState(registry)) return now;
  if (last.seq !== registry.pointers.seq()) return now + SOON;
  return last.incomplete ? now + MINUTE : null;
}

/** Epochs, and those whose reader tokens are worth nothing any more. */
export const readersState = ({ discoveryEpochs }: Registry): string =>
  canonicalJson(discoveryEpochs.list().map(({ epoch, expelled }) => [epoch, expelled]));

/** Copying's part of the tick. Where there are no replicas any more, nothing is owed to them. */
export function tickCopies({ registry, config, now }: Context): void {
  if (!config.discovery.replicated) return registry.outbox.removeAll(COPY_KINDS);
  const due = nextCopyDue({ registry, config }, now);
  if (due !== null) registry.outbox.add("replicate", DIRECTORY, due);
}

/** A blob is gone from the mesh's own store: its copy goes as well. */
export function scheduleCopyRemoval({ registry, config, now }: Context, blobId: string): void {
  if (config.discovery.replicated) registry.outbox.add("drop_copy", blobKey(blobId), now);
}
