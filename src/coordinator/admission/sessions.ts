import { MINUTE } from "../../base/clock.ts";
import { err, ok } from "../../base/result.ts";
import { NO_FLAPS } from "../../peers/damping.ts";
import { isConnected } from "../../peers/lifecycle.ts";
import { admit as decide } from "../../peers/admission.ts";
import type { ProvedKey } from "../../peers/dial.ts";
import type { Peer } from "../../peers/peer.ts";
import type { SessionFault } from "../../protocol/errors.ts";
import { regionOf } from "../../discovery/region.ts";
import { greatCircleKm, isPhysical } from "../../scoring/measure.ts";
import { sampleRtt } from "../../scoring/rtt.ts";
import type { AdmitInput } from "../../contract/admission.ts";
import type { Context } from "../kernel/context.ts";
import { dialFault, dialsAfterAdmission, TURN_OVER } from "../dialing/dial-outcomes.ts";
import { dispatch } from "../tasks/dispatch.ts";
import { notePlace } from "../peers/evidence.ts";
import { done, type Handler } from "../kernel/handler.ts";
import { reconcileHeldTasks } from "./held-tasks.ts";
import { redeem } from "../access/join-keys.ts";
import { isMember, keysFor, peerHolder } from "../discovery/epochs.ts";
import { applyPeerEvent } from "../peers/lifecycle.ts";
import { endSession, saveMeasured, savePeer, standingOf } from "../peers/peers.ts";

/** A peer whose session is direct is one hop away. */
const DIRECT_HOPS = 1;

/**
 * Lets a proved key in, or says why not. The coordinator alone hands out epochs, so of two sessions of one peer the
 * later one wins, whatever order their ends arrive in.
 */
export const admit: Handler<"admit"> = (context, input) => {
  const { registry, config, now } = context;
  const known = registry.peers.get(input.peerId);
  const removed = known === null ? registry.tombstones.get(input.peerId) : null;
  const spokeMuster2 = known?.spokeMuster2 ?? removed?.spokeMuster2 ?? false;
  const fault = dialFault(context, input, known) ?? refuseIfFull(context, known);
  if (fault !== null) return err(fault);
  const entry = redeem(context, input);
  if (!entry.ok) return entry;
  const { peerId: id, protocol } = input;
  const standing = standingOf(context, { id, spokeMuster2, protocol }, entry.value);
  const admission = decide(standing, input.claimedRole);
  if (!admission.ok) return admission;
  if (known !== null) {
    endSession(context, known, {
      code: "superseded",
      detail: "a newer session of this peer began",
    });
  }
  const slot = known?.reconnectPosition ?? registry.reconnectPositions.take();
  const geoKm = distance(context, input) ?? known?.geoKm ?? null;
  const rtt = sampleRtt(known?.rtt ?? null, input.rttMs);
  const peer: Peer = {
    ...(known ?? newcomer(context, input)),
    ...admission.value,
    name: input.name,
    address: input.address,
    network: input.network,
    colo: input.colo,
    lastSeen: now,
    epoch: (known?.epoch ?? removed?.epoch ?? 0) + 1,
    seq: 0,
    reconnectPosition: slot,
    session: input.session,
    protocol,
    spokeMuster2: spokeMuster2 || protocol === "muster/2",
    speaksMuster: input.speaksMuster,
    capabilities: input.capabilities,
    slots: input.slots,
    prefetch: input.prefetch ?? false,
    rtt: isPhysical(input.rttMs, geoKm) ? rtt : (known?.rtt ?? null),
    tcpRttMs: input.tcpRttMs ?? known?.tcpRttMs ?? null,
    hops: DIRECT_HOPS,
    geoKm,
    region: regionOf(input.place) ?? known?.region ?? null,
  };
  notePlace(context, peer.id, input.place);
  applyPeerEvent(context, peer, "proved");
  reconcileHeldTasks(context, id, input.held);
  const leasedUntil = registry.tasks.leasedUntil(id);
  const replaced = dialsAfterAdmission(context, input);
  if (replaced !== null) {
    endSession(context, replaced, { code: "mesh_full", detail: TURN_OVER });
    applyPeerEvent(context, replaced, "gone", { reason: TURN_OVER });
  }
  dispatch(context);
  const reconnect = { slot, per_second: config.reconnectsPerSecond };
  // go-p2p 1.0 has no forward secrecy: a key sent by it would be known to whoever gets the peer's key in years to come.
  const discovers = protocol === "muster/2" && isMember(context, entry.value);
  return ok({
    epoch: peer.epoch,
    role: peer.role,
    rtt,
    reconnect,
    ...(leasedUntil !== null && { leasedUntil }),
    ...(discovers && { discovery: keysFor(context, peerHolder(peer.id)) }),
  });
};

/** Seconds after which a full mesh may have room again. */
const FULL_RETRY = 60;

/** A peer that is connected already takes its own place. */
function refuseIfFull({ registry, config }: Context, known: Peer | null): SessionFault | null {
  if (known !== null && isConnected(known.state)) return null;
  if (registry.peers.connectedCount() < config.peersMax) return null;
  return {
    code: "mesh_full",
    detail: `this mesh takes ${config.peersMax} peers; try again in ${FULL_RETRY} s`,
    retryAfter: FULL_RETRY,
  };
}

/** What is known of a peer that has no record yet. */
export function newcomer({ now }: Context, { peerId, publicKey }: ProvedKey) {
  return {
    id: peerId,
    publicKey,
    addedAt: now,
    state: "discovered",
    since: now,
    flaps: NO_FLAPS,
    silentAt: null,
    held: 0,
    successes: 0,
    failures: 0,
    score: 0,
  } as const;
}

const distance = ({ config }: Context, { place }: AdmitInput): number | null =>
  config.place === null || place === null ? null : greatCircleKm(config.place, place);

/** Says whether the peer is suspect all the same: one that flaps stays so for a while, although it answers. */
export const observe: Handler<"observe"> = (context, { peerId, epoch, seq, event, rtt }) => {
  const peer = peerOfSession(context, peerId, epoch);
  // An observation that was overtaken by a newer one says nothing any more.
  if (peer === null || seq <= peer.seq) return ok({ suspect: peer?.state === "suspect" });
  const lastSeen = event === "answered" ? context.now : peer.lastSeen;
  const measured = rtt !== null && isPhysical(rtt.smoothedMs, peer.geoKm) ? rtt : peer.rtt;
  const seen = saveMeasured(context, { ...peer, seq, rtt: measured, lastSeen });
  const restored = applyPeerEvent(context, seen, event);
  // A better score may be what a waiting task asks for.
  if (restored || (seen.state === "active" && seen.score > peer.score)) dispatch(context);
  return ok({ suspect: context.registry.peers.get(peerId)?.state === "suspect" });
};

/** What a peer can do has changed: what waits for that is offered at once, and discovery learns of it. */
export const announce: Handler<"announce"> = (context, { peerId, epoch, announced }) => {
  const peer = peerOfSession(context, peerId, epoch);
  if (peer === null) return done;
  const { capabilities, slots, prefetch } = peer;
  savePeer(context, {
    ...peer,
    capabilities: announced.capabilities ?? capabilities,
    slots: announced.slots ?? slots,
    prefetch: announced.prefetch ?? prefetch,
  });
  // A record costs a write to the store: however often a peer speaks, one a minute.
  context.registry.outbox.hasten("publish", peer.id, context.now + MINUTE);
  dispatch(context);
  return done;
};

export const gone: Handler<"gone"> = (context, input) => {
  const peer = context.registry.peers.get(input.peerId);
  if (peer === null || !isConnected(peer.state)) return done;
  const current = "epoch" in input ? peer.epoch === input.epoch : peer.session === input.session;
  if (current) disconnectPeer(context, peer, input.reason, input.silent);
  return done;
};

/** The peer's session is over: nothing is held by it, nothing of it is published, and others get its work. */
export function disconnectPeer(
  context: Context,
  peer: Peer,
  reason: string,
  silent: boolean,
): void {
  const mayReturn = true;
  if (applyPeerEvent(context, peer, "gone", { reason, silent, mayReturn })) dispatch(context);
}

/** The peer, if this epoch is its newest session's and that one lives; null when the word comes too late. */
export function peerOfSession({ registry }: Context, peerId: string, epoch: number): Peer | null {
  const peer = registry.peers.get(peerId);
  return peer !== null && peer.epoch === epoch && isConnected(peer.state) ? peer : null;
}
