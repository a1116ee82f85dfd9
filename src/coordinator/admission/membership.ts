import { err, ok } from "../../base/result.ts";
import { admit } from "../../peers/admission.ts";
import type { Peer } from "../../peers/peer.ts";
import { toRfc3339 } from "../../base/clock.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { AllowEntry } from "../../protocol/http.ts";
import type { PeerId } from "../../protocol/ids.ts";
import type { Allowed } from "../../registry/allowlist.ts";
import { changedLimits, limitsView } from "../access/owner-limits.ts";
import { authMode, type Context } from "../kernel/context.ts";
import { dialsAfterForgetting, dialsAfterAdmissionChange } from "../dialing/dial-lifecycle.ts";
import { awaitRights, awaitWithdrawal, reportRights } from "../discovery/report-peers.ts";
import { withdrawStrangers } from "../discovery/take-reports.ts";
import { done, notFound, type Handler } from "../kernel/handler.ts";
import { markWorkAvailable } from "../kernel/marks.ts";
import { releaseAll } from "../tasks/leases.ts";
import { ownKeyFault } from "./own-key.ts";
import { liftDenial } from "./revocation.ts";
import { removePeer, applyPeerEvent } from "../peers/lifecycle.ts";
import { limitTombstones } from "../peers/record-limits.ts";
import { endSession, peerOf, savePeer, standingOf } from "../peers/scored-peers.ts";

export const getAuthMode: Handler<"get_auth_mode"> = (context) => ok({ mode: authMode(context) });

/** Sets the auth mode. Tightening it ends the sessions that no longer qualify. */
export const setAuthMode: Handler<"set_auth_mode"> = (context, { mode }) => {
  context.registry.settings.setAuthMode(mode);
  if (mode === "allowlist") withdrawStrangers(context);
  followAuthMode(context);
  return ok({ mode });
};

/** The auth mode is another one: ends the sessions in this cell that no longer qualify. */
export function followAuthMode(context: Context): void {
  for (const peer of context.registry.peers.connected()) endUnlessQualified(context, peer);
  dialsAfterAdmissionChange(context);
  markWorkAvailable(context);
}

export const listAllowed: Handler<"list_allowed"> = (context) =>
  ok({ mode: authMode(context), entries: context.registry.allowlist.list().map(allowView) });

/** Adds a key to the allowlist. A revoked key needs `readmit`, so that no bulk import undoes a revocation. */
export const allow: Handler<"allow"> = (
  context,
  { publicKey, peerId, label, roles, readmit, go_p2p: goP2p, ...limits },
) => {
  const { registry, now } = context;
  const own = ownKeyFault(context, peerId);
  if (own !== null) return err(own);
  if (registry.denylist.has(peerId)) {
    const lifted = readmit ? liftDenial(context, { id: peerId }) : err(REVOKED);
    if (!lifted.ok) return lifted;
  }
  const before = registry.allowlist.get(publicKey);
  const entry = {
    publicKey,
    peerId,
    label,
    roles: [...new Set(roles)],
    goP2p,
    addedAt: before?.addedAt ?? now,
    limits: changedLimits(limits, before?.limits),
  };
  registry.allowlist.put(entry);
  const peer = registry.peers.get(peerId);
  if (peer !== null) endUnlessQualified(context, peer);
  reportRights(context, peerId);
  dialsAfterAdmissionChange(context, peerId);
  markWorkAvailable(context);
  return ok(allowView(entry));
};

const REVOKED: MusterError = {
  code: "conflict",
  detail: "this key was revoked; set readmit to true to lift the revocation",
};

export const disallow: Handler<"disallow"> = (context, { publicKey }) => {
  const { registry } = context;
  const entry = registry.allowlist.get(publicKey);
  if (entry === null) return notFound("allowlist entry for this key");
  registry.allowlist.remove(publicKey);
  const peer = registry.peers.get(entry.peerId);
  if (peer !== null) endUnlessQualified(context, peer);
  awaitRights(context, entry.peerId);
  markWorkAvailable(context);
  return done;
};

/** Removes a peer's record. Its deny entry stays, so a revoked peer does not get back in by being forgotten. */
export const forgetPeer: Handler<"forget_peer"> = (context, input) => {
  const peer = peerOf(context, input.id);
  if (peer === null) return forgetAdvertisedPeer(context, input.id);
  context.registry.advertisedPeers.forgetAdvertiser(peer.id);
  endSession(context, peer, {
    code: "forgotten",
    detail: "the operator removed this peer's record",
  });
  releaseAll(context, peer.id, "the peer was removed");
  dialsAfterForgetting(context, peer.id);
  removePeer(context, peer);
  awaitWithdrawal(context, peer.id);
  markWorkAvailable(context);
  return done;
};

/** Forgets a peer that was only advertised. The tombstone keeps it from being advertised again. */
function forgetAdvertisedPeer(context: Context, id: PeerId): ReturnType<Handler<"forget_peer">> {
  const { registry, now } = context;
  if (registry.advertisedPeers.of(id) === null) return notFound("peer with this ID");
  registry.advertisedPeers.forgetPeer(id);
  registry.tombstones.put(id, { epoch: 0, spokeMuster2: false }, now);
  limitTombstones(context);
  return done;
}

/** Ends the session of a peer, unless the peer would be admitted again with the same role or more rights. */
export function endUnlessQualified(context: Context, peer: Peer): void {
  const entry = context.registry.allowlist.get(peer.publicKey);
  const admission = admit(standingOf(context, peer, entry), peer.role);
  const { role, mayAssign } = peer;
  if (admission.ok && admission.value.role === role && (admission.value.mayAssign || !mayAssign)) {
    if (admission.value.mayAssign !== mayAssign) savePeer(context, { ...peer, ...admission.value });
    return;
  }
  const detail = admission.ok ? "its roles have changed" : admission.error.detail;
  endSession(context, peer, { code: "not_allowed", detail });
  applyPeerEvent(context, peer, "gone", { reason: detail });
}

const allowView = (entry: Allowed): AllowEntry => ({
  public_key: entry.publicKey,
  peer_id: entry.peerId,
  label: entry.label,
  roles: [...entry.roles],
  go_p2p: entry.goP2p,
  added_at: toRfc3339(entry.addedAt),
  limits: limitsView(entry.limits),
});
