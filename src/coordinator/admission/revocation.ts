import { readDenyPlace } from "../../cells/list-place.ts";
import { cursorOf, placeOfCursor } from "../../protocol/list-cursor.ts";
import { toRfc3339 } from "../../base/clock.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Input } from "../../contract/commands.ts";
import type { Peer } from "../../peers/peer.ts";
import { DENY_ENTRIES_MAX } from "../../protocol/constants.ts";
import type { MusterError, SessionFault } from "../../protocol/errors.ts";
import type { DenyEntry as DenyView, RevokedPeer } from "../../protocol/http.ts";
import type { PeerId } from "../../protocol/ids.ts";
import type { DenyEntry, DenyPlace } from "../../registry/denylist.ts";
import { dialsAfterAdmissionChange } from "../dialing/dial-lifecycle.ts";
import { awaitWithdrawal } from "../discovery/report-peers.ts";
import type { Context } from "../kernel/context.ts";
import { done, notFound, type Handler, type PlainHandler } from "../kernel/handler.ts";
import { markWorkAvailable } from "../kernel/marks.ts";
import { badCursor, placedPage } from "../kernel/paging.ts";
import { applyPeerEvent } from "../peers/lifecycle.ts";
import { endSession, peerOf } from "../peers/scored-peers.ts";
import { readmitOwnerElsewhere } from "../moves/owners.ts";
import { endOwner, readmitOwner } from "../tasks/end-owner.ts";
import { shownPeer } from "../peers/shown-peer.ts";
import { advertisedPeerView, unknownPeerView } from "../peers/views.ts";

/**
 * Writes the deny entry, which holds in every mode, and ends the session. The command's caller gets its answer once
 * the session has confirmed its end. A key that the mesh has no record of is barred by its ID. The old ID of a peer that
 * has rotated its key stands for the peer. What the peer set in motion is ended, unless the operator keeps it.
 *
 * @param told cells that know it
 */
export function revokeKey(
  context: Context,
  input: Input<"revoke_peer">,
  told: readonly number[] = [],
): ReturnType<Handler<"revoke_peer">> {
  const { registry, now, actor } = context;
  const id = currentIdOf(context, input.id);
  if (id === null) return err(ROTATED_UNKNOWN);
  const peer = registry.peers.get(id);
  const room = peer === null ? checkRoom(context, id) : ok(undefined);
  if (!room.ok) return room;
  const shownKey = id === input.id ? (input.publicKey ?? null) : null;
  const before = peer === null ? viewOfUnknown(context, id, shownKey) : null;
  const publicKey = peer?.publicKey ?? before?.public_key ?? null;
  registry.denylist.add({
    peerId: id,
    publicKey,
    deniedAt: now,
    reason: "revoked",
    deniedBy: actor,
    rotatedTo: null,
  });
  registry.advertisedPeers.forgetAdvertiser(id);
  registry.advertisedPeers.forgetPeer(id);
  // Sessions whose end an earlier call could not confirm are ended again: this call must not succeed while one of them
  // may be open.
  for (const to of registry.outbox.unconfirmedEnds(id))
    context.effects.push({ type: "end_session", to, fault: FAULT });
  if (peer !== null) {
    endSession(context, peer, FAULT);
    applyPeerEvent(context, peer, "revoked", { reason: "the peer was revoked" });
  }
  awaitWithdrawal(context, id);
  if (input.keepTasks !== true) endOwner(context, id, { told });
  markWorkAvailable(context);
  const view = before ?? shownPeer(context, registry.peers.get(id) as Peer);
  const rotatedFrom = id === input.id ? null : input.id;
  return ok({ ...view, state: "revoked", known: peer !== null, rotated_from: rotatedFrom });
}

export const revokePeer: Handler<"revoke_peer"> = (context, input) => revokeKey(context, input);

const FAULT = { code: "revoked", detail: "this key was revoked" } as const satisfies SessionFault;

const ROTATED_UNKNOWN: MusterError = {
  code: "conflict",
  detail:
    "the peer has rotated this key to another, and the mesh does not know to which: name the current ID of the peer",
};

/** The ID that stands for the peer now: after a rotation that of its newest key; null when that is not known. */
function currentIdOf(context: Context, id: PeerId): PeerId | null {
  const { registry } = context;
  return peerOf(context, id)?.id ?? registry.denylist.currentId(id);
}

/** Whether a key without a record can be barred. Keys of peers with records always can. */
function checkRoom({ registry }: Context, id: PeerId): Result<void, MusterError> {
  if (registry.denylist.has(id) || registry.denylist.countRevoked() < DENY_ENTRIES_MAX)
    return ok(undefined);
  return err({
    code: "conflict",
    detail: `${DENY_ENTRIES_MAX} keys are revoked, the limit for keys without a record; lift some (DELETE /v1/denylist/:id)`,
  });
}

/** A peer that has no record: it was only advertised, forgotten, evicted, or never met. */
function viewOfUnknown(
  { registry, now }: Context,
  id: PeerId,
  publicKey: string | null,
): Omit<RevokedPeer, "known" | "rotated_from"> {
  const advert = registry.advertisedPeers.of(id);
  if (advert !== null) return advertisedPeerView(advert);
  return unknownPeerView(id, publicKey ?? registry.denylist.get(id)?.publicKey ?? null, now);
}

export const listDenied: Handler<"list_denied"> = (
  { registry },
  { limit, cursor, reason, ...of },
) => {
  if (of.after !== undefined) {
    const { at, id } = of.after;
    const filter = { reason, after: { deniedAt: at, peerId: id }, limit: limit + 1 };
    const { items, paging } = placedPage(
      { limit, begins: of.after },
      registry.denylist.list(filter),
      { place: ({ deniedAt, peerId }) => ({ at: deniedAt, id: peerId }), view: denyView },
    );
    return ok({ entries: items, ...paging });
  }
  const after = readPlace(cursor);
  if (after === undefined) return badCursor();
  const entries = registry.denylist.list({ reason, after, limit: limit + 1 });
  const page = entries.slice(0, limit);
  const last = page.at(-1);
  return ok({
    entries: page.map(denyView),
    next_cursor:
      entries.length > limit && last !== undefined
        ? cursorOf("denied", `${last.deniedAt}-${last.peerId}`)
        : null,
  });
};

/** The place that a cursor names; null for the beginning, undefined when the cursor is not valid. */
function readPlace(cursor: string | undefined): DenyPlace | null | undefined {
  if (cursor === undefined) return null;
  const place = readDenyPlace(placeOfCursor("denied", cursor) ?? "");
  return place === null ? undefined : { deniedAt: place.at, peerId: place.id };
}

/** Lifts a revocation. The peer may connect again as the auth mode and the allowlist say. */
export const liftDenial: PlainHandler<"lift_denial"> = (context, { id }: Input<"lift_denial">) => {
  const { registry } = context;
  const reason = registry.denylist.reasonOf(id);
  if (reason === null) return notFound("deny entry for this key");
  if (reason === "rotated") {
    return err({
      code: "conflict",
      detail: "the peer has rotated to another key; a rotated key cannot be allowed again",
    });
  }
  const free = readmitOwner(context, id);
  if (!free.ok) return free;
  readmitOwnerElsewhere(context, id);
  registry.denylist.remove(id);
  const peer = registry.peers.get(id);
  if (peer !== null) applyPeerEvent(context, peer, "readmitted");
  dialsAfterAdmissionChange(context, id);
  return done;
};

const denyView = (entry: DenyEntry): DenyView => ({
  peer_id: entry.peerId,
  public_key: entry.publicKey,
  reason: entry.reason,
  denied_at: toRfc3339(entry.deniedAt),
  denied_by: entry.deniedBy,
  rotated_to: entry.rotatedTo,
});
