import type { Millis } from "../../base/clock.ts";
import { isConnected, transition, type PeerEvent } from "../../peers/lifecycle.ts";
import {
  recordFailure,
  groupsOf,
  isCorrelated,
  FAILURE_WINDOW,
} from "../../peers/correlated-failures.ts";
import type { Peer } from "../../peers/peer.ts";
import { afterSession } from "../../peers/scheduling.ts";
import { CORRELATED_FAILURE_PAUSE } from "../../protocol/constants.ts";
import type { Context } from "../kernel/context.ts";
import { dialsAfterDisconnect } from "../dialing/dial-lifecycle.ts";
import { forgetEvidence, noteConnection } from "./evidence.ts";
import { keepBegun, releaseAll } from "../tasks/leases.ts";
import { limitFailedGroups, limitTombstones } from "./record-limits.ts";
import { savePeer, sessionOf } from "./scored-peers.ts";
import { withdraw } from "../discovery/withdrawal.ts";
import { markWorkAvailable, addToOutbox } from "../kernel/marks.ts";

export interface PeerEventDetails {
  /** Why the peer's tasks are lost, for people. */
  readonly reason?: string;
  /** Whether the peer fell silent, as opposed to a goodbye by either side. */
  readonly silent?: boolean;
  /** Set when the mesh itself ended the session: by then the peer can have returned, and until then it keeps its tasks. */
  readonly returnsBy?: Millis;
  /** Set when the session ended because the mesh restarts: a peer that is not back by then is lost. */
  readonly expectedAt?: Millis;
  /** Whether the mesh gave the peer's place to another: that says nothing about the peer. */
  readonly displaced?: boolean;
  /** Whether the peer left by itself and may reconnect unchanged in a moment. */
  readonly mayReturn?: boolean;
}

/** Applies an event to a peer: writes its new state, and performs the effects of the transition. */
export function applyPeerEvent(
  context: Context,
  peer: Peer,
  event: PeerEvent,
  {
    reason = "",
    silent = false,
    mayReturn = false,
    displaced = false,
    expectedAt,
    returnsBy,
  }: PeerEventDetails = {},
): void {
  const { now } = context;
  const { lifecycle, effects } = transition(peer, event, now);
  const { state, since, flaps } = lifecycle;
  const left = effects.includes("release_leases");
  // A peer that was suspect already has been counted.
  const fell = peer.state === "active" && (event === "missed_answer" || silent);
  const proved = event === "proved" || event === "flapped";
  if (state !== peer.state || proved) {
    const session = left ? null : peer.session;
    const silentAt = state === "active" ? null : fell ? now : peer.silentAt;
    const saidGoodbye = left && !silent && expectedAt === undefined;
    const lostNow = fell ? now : left ? (expectedAt ?? null) : null;
    const lostAt = state === "active" || saidGoodbye ? null : (peer.lostAt ?? lostNow);
    if (proved || isConnected(state) !== isConnected(peer.state))
      noteConnection(context, peer, proved);
    const scheduling = left
      ? afterSession(peer.scheduling, silent || returnsBy !== undefined)
      : peer.scheduling;
    savePeer(context, { ...peer, state, since, flaps, session, silentAt, lostAt, scheduling });
  }
  if (fell) recordUnexpectedDisconnect(context, peer);
  for (const effect of effects) {
    switch (effect) {
      case "publish":
        addToOutbox(context, { kind: "publish", peerId: peer.id });
        break;
      case "withdraw":
        withdraw(context, peer.id, mayReturn);
        break;
      case "release_leases":
        if (returnsBy !== undefined) keepBegun(context, peer.id, reason, returnsBy);
        else
          releaseAll(context, peer.id, reason, {
            pause: silent ? pauseAfter(context, peer) : 0,
            blameless: displaced,
          });
        dialsAfterDisconnect(context, peer.id, reason);
        break;
      case "remove_record":
        removePeer(context, peer);
        break;
      case "offer_work":
        markWorkAvailable(context);
        break;
      default:
        effect satisfies never;
    }
  }
}

/** Removes a peer's record. What must outlive it stays as a tombstone. */
export function removePeer(context: Context, peer: Peer): void {
  const { registry, now } = context;
  withdraw(context, peer.id);
  registry.peers.remove(peer.id);
  forgetEvidence(context, peer.id);
  registry.coordinates.remove(peer.id);
  registry.pairRtts.remove(peer.id);
  registry.tombstones.put(peer.id, peer, now);
  limitTombstones(context);
}

/** Makes a peer suspect that did not answer an offer: it gets no new tasks and is pinged. */
export function suspectPeer(context: Context, peer: Peer): void {
  const to = sessionOf(peer);
  if (to === null) return;
  applyPeerEvent(context, peer, "missed_answer");
  addToOutbox(context, { kind: "probe", to });
}

function recordUnexpectedDisconnect(context: Context, peer: Peer): void {
  const { registry, now } = context;
  for (const group of groupsOf(peer, registry.allowlist.lists(peer.id))) {
    const count = () => registry.peers.countSilent(group, now - FAILURE_WINDOW);
    registry.correlatedFailures.put(
      group,
      recordFailure(registry.correlatedFailures.get(group), now, count),
    );
    limitFailedGroups(context);
  }
}

/**
 * During a correlated failure the peers may reconnect in a moment: their tasks wait, so that they are not all done
 * twice (LV12).
 */
function pauseAfter({ registry, now, random }: Context, peer: Peer): Millis {
  const mass = groupsOf(peer, registry.allowlist.lists(peer.id)).some((group) =>
    isCorrelated(registry.correlatedFailures.get(group), now),
  );
  return mass ? Math.round(CORRELATED_FAILURE_PAUSE * (0.5 + random() / 2)) : 0;
}
