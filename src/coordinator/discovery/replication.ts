import { toHex, utf8, type Bytes } from "../../base/bytes.ts";
import { DAY, MINUTE, SECOND, toRfc3339, type Millis } from "../../base/clock.ts";
import { ok } from "../../base/result.ts";
import {
  documentName,
  pageBits,
  pageContent,
  pageKey,
  pageOf,
  type Directory,
} from "../../discovery/directory.ts";
import { readerTag, readerToken } from "../../discovery/epoch-secrets.ts";
import { sign } from "../../discovery/signed-statements.ts";
import type { CopiedDirectory } from "../../registry/copies.ts";
import type { PublishedPointer } from "../../registry/pointers.ts";
import type { CopyOfDirectory } from "../../contract/discovery.ts";
import type { Context } from "../kernel/context.ts";
import { readersState, scheduleCheck } from "./copies.ts";
import { openEpochs } from "./epochs.ts";
import { done, type Handler } from "../kernel/handler.ts";
import { checkpointOf, removalOf, signedPointer, totalsOf } from "./pointers.ts";
import { addToOutbox } from "../kernel/marks.ts";

/** Pointers that are prepared at once: each may cost a signature here, a read in KV and a write in the other store. */
const READY_AT_ONCE = 200;
/** Lifetime of a copy. Replaced copies are deleted; this ends the copies of a mesh that no longer exists. */
const KEPT: Millis = 400 * DAY;
/** How long a replaced page is kept, for readers of a directory that still names it. */
const PAGE_LINGER: Millis = 10 * MINUTE;

/** `held` names the directory in the store. If it is not the last one that was written, everything is copied again. */
export const prepareReplication: Handler<"prepare_replication"> = (context, { held }) => {
  const { registry, now } = context;
  const last = lastCopy(context, held);
  const since = last.incomplete ? 0 : last.seq;
  const unready = registry.copies.unready(since, now, READY_AT_ONCE + 1);
  const batch = unready.slice(0, READY_AT_ONCE);
  for (const pointer of batch) statementOf(context, pointer);
  const blobs = batch
    .filter(({ state, copied }) => state === "listed" && !copied)
    .map(({ blobId: id, expiresAt }) => ({ id, expiresAt }));
  const directory = unready.length > batch.length ? null : directoryOf(context, last);
  return ok({ blobs, directory });
};

function lastCopy({ registry }: Context, held: string | null): CopiedDirectory {
  const last = registry.copies.last();
  if (last !== null && last.name === held) return last;
  const nothing = { name: held, seq: 0, bits: 0, readers: "", incomplete: false, issuedAt: 0 };
  registry.copies.forgetAll();
  registry.copies.setLast(nothing);
  return nothing;
}

/**
 * Only pages that contain a changed ID are written again, unless the epochs changed: then IDs vanish without a change
 * entry.
 */
function directoryOf(context: Context, last: CopiedDirectory): CopyOfDirectory {
  const { registry, config, now } = context;
  const bits = pageBits(registry.copies.count());
  const readers = readersState(registry);
  const known = registry.copies.pages();
  const changed = new Set(registry.copies.changedBytes(last.seq).map((byte) => pageOf(byte, bits)));
  const anew = last.readers !== readers || last.bits !== bits;
  const pages: { name: string; content: Bytes }[] = [];
  const names = Array.from({ length: 2 ** bits }, (_, page) => {
    const before = known.get(page);
    if (before !== undefined && !anew && !changed.has(page)) return before;
    const content = writePage(context, page, bits);
    const name = documentName(content);
    if (name !== before) pages.push({ name, content });
    return name;
  });
  const checkpoint = checkpointOf(context);
  const epochs = openEpochs(context).filter((epoch) => epoch.expiresAt > now);
  const body: Omit<Directory, "signature"> = {
    checkpoint,
    totals: totalsOf(context, checkpoint),
    readers: epochs.map(({ epoch, expelled, secrets, expiresAt }) => ({
      epoch,
      tag: expelled ? null : toHex(readerTag(readerToken(secrets.pointerSecret))),
      expires_at: toRfc3339(expiresAt),
    })),
    pages: names,
  };
  const signature = sign("directory", body, config.discovery.signingKey);
  const content = utf8(JSON.stringify({ ...body, signature }));
  return {
    content,
    pages,
    expiresAt: now + KEPT,
    names,
    copied: { name: documentName(content), seq: checkpoint.seq, bits, readers, issuedAt: now },
  };
}

function writePage(context: Context, page: number, bits: number): Bytes {
  const { registry, now } = context;
  const width = 2 ** (8 - bits);
  const pointers = registry.copies.startingWith(page * width, width, now);
  return pageContent({
    pointers: pointers
      .filter(({ state }) => state === "listed")
      .map((pointer) => signedPointer(context, pointer)),
    removed: pointers
      .filter(({ state }) => state === "removed")
      .map((pointer) => removalOf(context, pointer)),
  });
}

const statementOf = (context: Context, pointer: PublishedPointer) =>
  pointer.state === "listed" ? signedPointer(context, pointer) : removalOf(context, pointer);

/**
 * Some blobs have been copied to the replicas' store. `more` follow in a moment, because the work of one wake is
 * bounded.
 */
export const blobsCopied: Handler<"blobs_copied"> = (context, { blobIds, more }) => {
  const { registry, now } = context;
  registry.copies.setCopied(blobIds);
  if (more) addToOutbox(context, { kind: "replicate" }, now + SECOND);
  return done;
};

/** The directory has been copied. What it replaced is deleted when no reader needs it any more. */
export const replicated: Handler<"replicated"> = (context, { copied, names }) => {
  const { registry, now } = context;
  // A copy that was given up as too slow and succeeded after all.
  if (copied.seq < (registry.copies.last()?.seq ?? 0)) return done;
  const before = registry.copies.pages();
  registry.copies.setPages(names);
  registry.copies.setLast(copied);
  const kept = new Set(names);
  for (const name of before.values())
    if (!kept.has(name))
      addToOutbox(context, { kind: "drop_copy", key: pageKey(name) }, now + PAGE_LINGER);
  // Equal content has an equal name: a page that is used again must not be deleted because it was replaced before.
  for (const name of kept) registry.outbox.remove({ kind: "drop_copy", key: pageKey(name) });
  registry.outbox.remove({ kind: "replicate" });
  scheduleCheck(context);
  return done;
};

export const copyDropped: Handler<"copy_dropped"> = ({ registry }, { key }) => {
  registry.outbox.remove({ kind: "drop_copy", key });
  return done;
};
