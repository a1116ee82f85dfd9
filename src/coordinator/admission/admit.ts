import { SECOND, type Millis } from "../../base/clock.ts";
import { err, ok } from "../../base/result.ts";
import { NO_FLAPS } from "../../peers/damping.ts";
import { isMember } from "../../peers/discovery-rights.ts";
import { admit as decide } from "../../peers/admission.ts";
import { keyInUseFault, tookOver } from "../../peers/key-contest.ts";
import type { ProvedKey } from "../../peers/dial.ts";
import type { Peer } from "../../peers/peer.ts";
import { afterSession, OPEN } from "../../peers/scheduling.ts";
import { drawReconnectPosition } from "../../peers/reconnect-position.ts";
import type { PeerId } from "../../protocol/ids.ts";
import { EVERY_KIND } from "../../protocol/messages.ts";
import { regionOf } from "../../discovery/region.ts";
import { DIRECT_HOPS } from "../../scoring/hops.ts";
import { SLOTS_UNEARNED } from "../../scoring/earned-slots.ts";
import { greatCircleKm, isPhysical } from "../../scoring/measure.ts";
import { sampleRtt } from "../../scoring/rtt.ts";
import type { AdmitInput } from "../../contract/admission.ts";
import { nextNumber } from "../../registry/after-restore.ts";
import type { Context } from "../kernel/context.ts";
import { dialFault, dialsAfterAdmission, TURN_OVER } from "../dialing/dial-lifecycle.ts";
import { notePlace } from "../peers/evidence.ts";
import { type Handler } from "../kernel/handler.ts";
import { displace, placeFor } from "./places.ts";
import { reconcileHeldTasks } from "./held-tasks.ts";
import { ownKeyFault } from "./own-key.ts";
import { redeem } from "../access/join-keys.ts";
import { keysFor, peerHolder } from "../discovery/epochs.ts";
import { orderDrain } from "../peers/drains.ts";
import { applyPeerEvent } from "../peers/lifecycle.ts";
import { evictStrangers } from "../peers/evict-strangers.ts";
import { hasRoomForStrangers, NO_ROOM_FOR_STRANGERS } from "../storage/room.ts";
import { endSession, standingOf } from "../peers/scored-peers.ts";

/**
 * Admits a peer whose key is proved, or refuses it with a reason. Only the coordinator assigns epochs, so of two
 * sessions of one peer the later one wins, in whatever order their ends arrive.
 */
export const admit: Handler<"admit"> = (context, input) => {
  const { registry, config, now } = context;
  const known = registry.peers.get(input.peerId);
  const removed = known === null ? registry.tombstones.get(input.peerId) : null;
  const spokeMuster2 = known?.spokeMuster2 ?? removed?.spokeMuster2 ?? false;
  const fault =
    ownKeyFault(context, input.peerId) ??
    dialFault(context, input, known) ??
    keyInUseFault(known, input, sessionAge(context, input.peerId) ?? 0);
  if (fault !== null) return err(fault);
  const entry = redeem(context, input);
  if (!entry.ok) return entry;
  const { peerId: id, protocol } = input;
  const standing = standingOf(context, { id, spokeMuster2, protocol }, entry.value);
  const admission = decide(standing, input.claimedRole);
  if (!admission.ok) return admission;
  if (known === null && entry.value === null && !hasRoomForStrangers(context))
    return err(NO_ROOM_FOR_STRANGERS);
  const place = placeFor(context, known, entry.value !== null);
  if (!place.ok) return place;
  if (place.value !== null) displace(context, place.value);
  if (known !== null) {
    endSession(context, known, {
      code: "superseded",
      detail: "a newer session of this peer began",
    });
  }
  const geoKm = distance(context, input) ?? known?.geoKm ?? null;
  const rtt = sampleRtt(known?.rtt ?? null, input.rttMs);
  const peer: Peer = {
    ...(known ?? newPeer(context, input)),
    ...admission.value,
    name: input.name,
    address: input.address,
    network: input.network,
    colo: input.colo,
    lastSeen: now,
    epoch: nextNumber(known?.epoch ?? removed?.epoch ?? 0, registry.settings.restoredAt),
    seq: 0,
    session: input.session,
    tookOver: tookOver(known, input),
    protocol,
    goP2pGeneration: protocol === "go-p2p/1.0" ? (input.goP2pGeneration ?? 1) : null,
    spokeMuster2: spokeMuster2 || protocol === "muster/2",
    speaksMuster: input.speaksMuster,
    capabilities: input.capabilities,
    kinds: input.kinds ?? [EVERY_KIND],
    slots: input.slots,
    prefetch: input.prefetch ?? false,
    rtt: isPhysical(input.rttMs, geoKm) ? rtt : (known?.rtt ?? null),
    tcpRttMs: input.tcpRttMs ?? known?.tcpRttMs ?? null,
    hops: DIRECT_HOPS,
    scheduling: afterSession(known?.scheduling ?? OPEN, true),
    geoKm,
    region: regionOf(input.place) ?? known?.region ?? null,
  };
  notePlace(context, peer.id, input.place, input.placeSource);
  applyPeerEvent(context, peer, hasFlapped(context, known, input) ? "flapped" : "proved");
  if (known === null) evictStrangers(context);
  reconcileHeldTasks(context, id, input.held);
  const leasedUntil = registry.tasks.leasedUntil(id);
  orderDrain(context, id);
  const replaced = dialsAfterAdmission(context, input);
  if (replaced !== null) {
    endSession(context, replaced, { code: "mesh_full", detail: TURN_OVER });
    applyPeerEvent(context, replaced, "gone", { reason: TURN_OVER, displaced: true });
  }
  registry.metrics.count("muster_sessions_begun", [protocol]);
  const reconnect = drawReconnectPosition(config.reconnectSpread, context.random);
  // go-p2p 1.0 has no forward secrecy: someone who gets the peer's key years later could read the discovery keys that
  // were sent over it.
  const discovers =
    protocol === "muster/2" && isMember(config.discovery.members, entry.value !== null);
  const isSuspect = registry.peers.get(id)?.state === "suspect";
  return ok({
    epoch: peer.epoch,
    ...(isSuspect && { suspect: true }),
    role: peer.role,
    rtt,
    reconnect,
    ...(leasedUntil !== null && { leasedUntil }),
    held: registry.peers.get(id)?.held ?? 0,
    ...(discovers && { discovery: keysFor(context, peerHolder(peer.id)) }),
  });
};

/** Sessions of a go-p2p node that begin within this time of each other count as flaps. */
const FLAP_INTERVAL: Millis = 30 * SECOND;

/** The fields of a new peer's record that do not come from its session. */
export function newPeer({ now }: Context, { peerId, publicKey }: ProvedKey) {
  return {
    id: peerId,
    publicKey,
    addedAt: now,
    state: "discovered",
    since: now,
    flaps: NO_FLAPS,
    scheduling: OPEN,
    tookOver: false,
    silentAt: null,
    lostAt: null,
    held: 0,
    earnedSlots: SLOTS_UNEARNED,
    successes: 0,
    failures: 0,
    score: 0,
  } as const;
}

/**
 * Whether a go-p2p node begins a session soon after it began the one before: it has no reconnect backoff of its own. A peer of the SDK
 * has one, and the mesh itself makes it reconnect.
 */
const hasFlapped = (
  context: Context,
  known: Peer | null,
  { protocol, speaksMuster }: AdmitInput,
): boolean =>
  known !== null &&
  protocol === "go-p2p/1.0" &&
  !speaksMuster &&
  known.epoch > 0 &&
  (sessionAge(context, known.id) ?? FLAP_INTERVAL) < FLAP_INTERVAL;

/** How long the peer's session has lasted, or how long ago it began. Null if a restart of the mesh has lost the time, which is written later. */
function sessionAge({ registry, now }: Context, id: PeerId): Millis | null {
  const connectedAt = registry.observed.get(id)?.connectedAt ?? null;
  return connectedAt === null ? null : now - connectedAt;
}

const distance = ({ config }: Context, { place }: AdmitInput): number | null =>
  config.place === null || place === null ? null : greatCircleKm(config.place, place);
