import { toRfc3339 } from "../../base/clock.ts";
import { ok } from "../../base/result.ts";
import { sign } from "../../discovery/signed-statements.ts";
import type {
  Checkpoint,
  ListedTotals,
  PointerView,
  RemovedPointer,
} from "../../protocol/discovery.ts";
import type { PointerList } from "../../protocol/http.ts";
import { OpaqueId } from "../../protocol/ids.ts";
import type { PointerPage, PublishedPointer } from "../../registry/pointers.ts";
import type { Context } from "../kernel/context.ts";
import { isReader } from "./epochs.ts";
import type { Handler } from "../kernel/handler.ts";
import { badCursor } from "../kernel/paging.ts";
import { readsDiscovery } from "../access/tokens.ts";

/** The published pointers, page by page; or, with `since`, the changes after an earlier answer. */
export const listPointers: Handler<"list_pointers"> = (context, { query }) => {
  const { registry, now } = context;
  const { limit, cursor, since, ...filter } = query;
  const checkpoint = checkpointOf(context);
  const totals = totalsOf(context, checkpoint);
  if (since !== undefined)
    return ok({ ...changesSince(context, { limit, filter }, Number(since), checkpoint), totals });
  if (cursor !== undefined && !OpaqueId.safeParse(cursor).success) return badCursor();
  const found = registry.pointers.list({ filter, now, limit: limit + 1 }, cursor ?? "");
  const page = found.slice(0, limit);
  return ok({
    pointers: page.map((pointer) => signedPointer(context, pointer)),
    removed: [],
    // Changes happen while pages are read: the caller asks next for the changes since the first page.
    since: String(checkpoint.seq),
    next_cursor: found.length > limit ? (page.at(-1)?.id ?? null) : null,
    checkpoint,
    totals,
  });
};

function changesSince(
  context: Context,
  { limit, filter }: Pick<PointerPage, "limit" | "filter">,
  after: number,
  checkpoint: Checkpoint,
): PointerList {
  const { registry, now } = context;
  const found = registry.pointers.changes({ filter, now, limit: limit + 1 }, after);
  const page = found.slice(0, limit);
  const more = found.length > limit;
  const since = String(more ? page.at(-1)?.seq : checkpoint.seq);
  const listed = page.filter(({ state, matches }) => state === "listed" && matches);
  const unwanted = page.filter(({ state, matches }) => state === "removed" || !matches);
  return {
    pointers: listed.map((pointer) => signedPointer(context, pointer)),
    removed: unwanted.map((pointer) => removalOf(context, pointer)),
    since,
    next_cursor: more ? since : null,
    checkpoint,
  };
}

/**
 * One pointer, for a caller that may read it. Every step is done whatever the result of the others (read the token's
 * row, compare the reader's tag with that of every epoch, look up the pointer), so that the time tells nothing.
 */
export const readDiscovery: Handler<"read_discovery"> = (
  context,
  { id, anybody, credential, reader },
) => {
  const known = readsDiscovery(context, credential.id, credential.hash);
  const reads = isReader(context, reader);
  const found = context.registry.pointers.find(id, context.now);
  const allowed = anybody || known || reads;
  const pointer = allowed && found !== null ? signedPointer(context, found) : null;
  return ok({ allowed, pointer });
};

/** The pointer with the mesh's signature, which is made at the first request and stored. */
export function signedPointer(context: Context, pointer: PublishedPointer): PointerView {
  const { id, epoch, seq, blobId: blob_id, metadata } = pointer;
  const body = { id, epoch, seq, blob_id, metadata, expires_at: toRfc3339(pointer.expiresAt) };
  return { ...body, signature: signatureOf(context, pointer, "pointer", body) };
}

export function removalOf(context: Context, pointer: PublishedPointer): RemovedPointer {
  const { id, epoch, seq, state } = pointer;
  const body = { id, epoch, seq };
  // A pointer that is still listed but does not match is not reported as removed.
  const signature = state === "removed" ? signatureOf(context, pointer, "removal", body) : null;
  return { ...body, signature };
}

function signatureOf(
  { registry, config }: Context,
  { id, signature }: PublishedPointer,
  kind: "pointer" | "removal",
  body: object,
): string {
  if (signature !== null) return signature;
  const made = sign(kind, body, config.discovery.signingKey);
  registry.pointers.setSignature(id, made);
  return made;
}

export function checkpointOf({ registry, config, now }: Context): Checkpoint {
  const body = {
    seq: registry.pointers.seq(),
    epochs: registry.discoveryEpochs
      .list()
      .filter(({ expiresAt }) => expiresAt > now)
      .map(({ epoch }) => epoch),
    issued_at: toRfc3339(now),
  };
  return { ...body, signature: sign("checkpoint", body, config.discovery.signingKey) };
}

/** How many pointers are listed, at the sequence number, in the epochs and at the time of a checkpoint. */
export function totalsOf(
  { registry, config }: Context,
  { seq, epochs, issued_at }: Checkpoint,
): ListedTotals {
  const listed = registry.pointers.listedByEpoch();
  const totals = registry.discoveryEpochs
    .list()
    .filter(({ epoch }) => epochs.includes(epoch))
    .map(({ epoch, expiresAt }) => ({
      epoch,
      listed: listed.get(epoch) ?? 0,
      expires_at: toRfc3339(expiresAt),
    }));
  const body = { seq, issued_at, epochs: totals };
  return { ...body, signature: sign("totals", body, config.discovery.signingKey) };
}
