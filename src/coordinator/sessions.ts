import { err, ok } from "../base/result.ts";
import { isConnected, nextState } from "../peers/lifecycle.ts";
import { admit as decide } from "../peers/admission.ts";
import type { Peer } from "../peers/peer.ts";
import type { SessionFault } from "../protocol/errors.ts";
import { greatCircleKm, smoothRtt } from "../scoring/measure.ts";
import type { AdmitInput } from "./commands.ts";
import type { Context } from "./context.ts";
import { dispatch } from "./dispatch.ts";
import { done, type Handler } from "./handler.ts";
import { redeem } from "./join-keys.ts";
import { releaseAll } from "./leases.ts";
import { endSession, savePeer, standingOf, withdraw } from "./peers.ts";

/** A peer whose session is direct is one hop away. */
const DIRECT_HOPS = 1;

/**
 * Lets a proved key in, or says why not. The coordinator alone hands out epochs, so of two sessions of one peer the
 * later one wins, whatever order their ends arrive in.
 */
export const admit: Handler<"admit"> = (context, input) => {
  const { registry, now, effects } = context;
  const known = registry.peers.get(input.peerId);
  const removed = known === null ? registry.tombstones.get(input.peerId) : null;
  const spokeMuster2 = known?.spokeMuster2 ?? removed?.spokeMuster2 ?? false;
  const full = refuseIfFull(context, known);
  if (full !== null) return err(full);
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
  const peer = savePeer(context, {
    ...(known ?? newcomer(context, input)),
    ...admission.value,
    name: input.name,
    address: input.address,
    state: nextState(known?.state ?? "discovered", "proved"),
    lastSeen: now,
    epoch: (known?.epoch ?? removed?.epoch ?? 0) + 1,
    session: input.session,
    protocol,
    spokeMuster2: spokeMuster2 || protocol === "muster/2",
    speaksMuster: input.speaksMuster,
    capabilities: input.capabilities,
    slots: input.slots,
    rttMs: smoothRtt(known?.rttMs ?? null, input.rttMs),
    hops: DIRECT_HOPS,
    geoKm: distance(context, input) ?? known?.geoKm ?? null,
  });
  registry.outbox.add("publish", peer.id, now);
  effects.push({ type: "drain_outbox" });
  dispatch(context);
  return ok({ epoch: peer.epoch, role: peer.role });
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

function newcomer({ now }: Context, { peerId, publicKey }: AdmitInput) {
  return { id: peerId, publicKey, addedAt: now, held: 0, successes: 0, failures: 0, score: 0 };
}

const distance = ({ config }: Context, { place }: AdmitInput): number | null =>
  config.place === null || place === null ? null : greatCircleKm(config.place, place);

export const observe: Handler<"observe"> = (context, { peerId, epoch, event, rttMs }) => {
  const peer = newest(context, peerId, epoch);
  if (peer === null) return done;
  const observed = savePeer(context, {
    ...peer,
    state: nextState(peer.state, event),
    rttMs: rttMs ?? peer.rttMs,
    lastSeen: event === "answered" ? context.now : peer.lastSeen,
  });
  // A better score may be what a waiting task asks for.
  const able = observed.state === "active";
  if (able && (peer.state !== "active" || observed.score > peer.score)) dispatch(context);
  return done;
};

export const gone: Handler<"gone"> = (context, input) => {
  const peer = context.registry.peers.get(input.peerId);
  if (peer === null || !isConnected(peer.state)) return done;
  const current = "epoch" in input ? peer.epoch === input.epoch : peer.session === input.session;
  if (current) leave(context, peer, input.reason);
  return done;
};

/** The peer's session is over: nothing is held by it, nothing of it is published, and others get its work. */
export function leave(context: Context, peer: Peer, reason: string): void {
  depart(context, peer, "gone", reason);
  dispatch(context);
}

/** Takes from a peer what only a peer that is here may have; its work is the caller's to hand on. */
export function depart(
  context: Context,
  peer: Peer,
  event: "gone" | "revoked",
  reason: string,
): void {
  savePeer(context, { ...peer, state: nextState(peer.state, event), session: null });
  releaseAll(context, peer.id, reason);
  withdraw(context, peer.id);
}

/** The peer, if this epoch is its newest session's and that one lives; null when the word comes too late. */
export function newest({ registry }: Context, peerId: string, epoch: number): Peer | null {
  const peer = registry.peers.get(peerId);
  return peer !== null && peer.epoch === epoch && isConnected(peer.state) ? peer : null;
}
