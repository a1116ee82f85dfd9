import { err } from "../../base/result.ts";
import { DAY } from "../../base/clock.ts";
import { ROTATIONS_MAX, ROTATION_WINDOW } from "../../protocol/constants.ts";
import { dialsAfterRotation } from "../dialing/dial-lifecycle.ts";
import { assignerScope } from "../tasks/assigner-scope.ts";
import { markWorkAvailable } from "../kernel/marks.ts";
import { rotateOwnerElsewhere } from "../moves/owners.ts";
import { moveEvidence } from "../peers/evidence.ts";
import { done, type Handler } from "../kernel/handler.ts";
import { limitRotatedKeys, limitTombstones } from "../peers/record-limits.ts";
import { endSession, savePeer } from "../peers/scored-peers.ts";
import { peerHolder } from "../discovery/epochs.ts";
import { ownKeyFault } from "./own-key.ts";
import { peerOfSession } from "./sessions.ts";
import { withdraw } from "../discovery/withdrawal.ts";

/**
 * Moves a peer to a new key: its record with its history, its allowlist entry and its held tasks. The old ID leads to
 * the new one for 30 days. The old key is barred permanently. The session ends, and the peer reconnects with its new
 * key.
 */
export const rotatePeer: Handler<"rotate_peer"> = (
  context,
  { peerId, epoch, newPeerId, newPublicKey },
) => {
  const { registry, now, actor } = context;
  const peer = peerOfSession(context, peerId, epoch);
  if (peer === null || registry.denylist.has(peerId)) {
    return err({ code: "conflict", detail: "only a peer with an open session can rotate its key" });
  }
  const own = ownKeyFault(context, newPeerId);
  if (own !== null) return err(own);
  if (registry.peers.get(newPeerId) !== null || registry.denylist.has(newPeerId)) {
    return err({
      code: "conflict",
      detail: "the new key is already known to this mesh; generate a new one",
    });
  }
  if (registry.aliases.count(peerId, now) >= ROTATIONS_MAX) {
    return err({
      code: "rate_limited",
      detail: `this peer has rotated its key ${ROTATIONS_MAX} times in ${ROTATION_WINDOW / DAY} days, the limit; keep this key for now`,
    });
  }
  endSession(context, peer, { code: "rotated", detail: "reconnect with the new key" });
  withdraw(context, peerId);
  const entry = registry.allowlist.get(peer.publicKey);
  if (entry !== null) {
    registry.allowlist.remove(peer.publicKey);
    registry.allowlist.put({ ...entry, publicKey: newPublicKey, peerId: newPeerId });
  }
  registry.peers.remove(peerId);
  moveEvidence(context, peerId, newPeerId);
  savePeer(context, {
    ...peer,
    id: newPeerId,
    publicKey: newPublicKey,
    state: "stale",
    since: now,
    session: null,
  });
  registry.tasks.handOver(peerId, newPeerId);
  rotateOwnerElsewhere(context, peerId, newPeerId);
  registry.idempotency.handOver(assignerScope(peerId), assignerScope(newPeerId));
  registry.coordinates.handOver(peerId, newPeerId);
  registry.pairRtts.handOver(peerId, newPeerId);
  registry.discoveryEpochs.handOver(peerHolder(peerId), peerHolder(newPeerId));
  dialsAfterRotation(context, peerId, { publicKey: newPublicKey, peerId: newPeerId });
  registry.kvShares.move(peerId, newPeerId);
  registry.tombstones.put(peerId, peer, now);
  limitTombstones(context);
  const isStranger = entry === null;
  const denial = {
    peerId,
    publicKey: peer.publicKey,
    deniedAt: now,
    reason: "rotated",
    deniedBy: actor,
    rotatedTo: newPeerId,
  } as const;
  registry.denylist.add(denial, isStranger);
  registry.aliases.put(peerId, newPeerId, now + ROTATION_WINDOW);
  if (isStranger) limitRotatedKeys(context);
  markWorkAvailable(context);
  return done;
};
