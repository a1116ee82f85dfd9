import type { Millis } from "../../base/clock.ts";
import type { Result } from "../../base/result.ts";
import { admit, type Admission, type Standing } from "../../peers/admission.ts";
import { isConnected } from "../../peers/lifecycle.ts";
import type { Peer } from "../../peers/peer.ts";
import type { SessionFault } from "../../protocol/errors.ts";
import type { PeerId } from "../../protocol/ids.ts";
import { DIRECT_HOPS, hopsOfRoute, REPORTED_KNOWN } from "../../scoring/hops.ts";
import { earnedSlots } from "../../scoring/earned-slots.ts";
import { nothingObserved } from "../../scoring/observed.ts";
import { countOutcome, outcomesAt, type OutcomeKind } from "../../scoring/outcomes.ts";
import { score, type Metrics, type Score } from "../../scoring/score.ts";
import { expectedUptime, uptimeAfter } from "../../scoring/uptime.ts";
import type { Allowed } from "../../registry/allowlist.ts";
import { authMode, type Context, type CoordinatorConfig } from "../kernel/context.ts";
import type { EndFault, SessionRef } from "../../peers/session-orders.ts";
import { markDrainsDue, markWorkAvailable, addToOutbox } from "../kernel/marks.ts";

/** Writes a peer with the score that follows from its metrics, and returns it. */
export function savePeer(context: Context, peer: Peer): Peer {
  const scored = withScore(context, peer);
  context.registry.peers.put(scored);
  return scored;
}

/** The same for a peer of which only measurements changed: it is written a little later, together with others. */
export function saveMeasured(context: Context, peer: Peer): Peer {
  const scored = withScore(context, peer);
  context.registry.peers.measured(scored);
  return scored;
}

/** The score is stored with the hops that it rests on, which follow from the reported path and the round trip. */
function withScore(context: Context, peer: Peer): Peer {
  const metrics = metricsOf(context, peer);
  return {
    ...peer,
    hops: metrics.hops ?? (metrics.direct ? DIRECT_HOPS : null),
    score: score(metrics, context.config.weights).score,
  };
}

/** What a score is computed from, besides the peer's record. */
export interface Scoring extends Pick<Context, "registry" | "now"> {
  readonly config: Pick<CoordinatorConfig, "weights">;
}

/** The peer's current score. */
export const scoreOf = (scoring: Scoring, peer: Peer): Score =>
  score(metricsOf(scoring, peer), scoring.config.weights);

/** The metrics of a peer's score. A refusal does not lower the score: refusing is better than failing. */
export function metricsOf(
  { registry, now }: Scoring,
  { id, rtt, hops, geoKm, state }: Peer,
): Metrics {
  const { outcomes, uptime, route } = registry.observed.get(id) ?? nothingObserved(now);
  const { successes, failures, timeouts } = outcomesAt(outcomes, now);
  const rttMs = rtt?.smoothedMs ?? null;
  return {
    rttMs,
    hops: hopsOfRoute(route, rttMs, geoKm, now),
    hopsKnown: REPORTED_KNOWN,
    direct: hops !== null,
    geoKm,
    successes,
    failures: failures + timeouts,
    uptime: uptime === null ? null : expectedUptime(uptimeAfter(uptime, isConnected(state), now)),
  };
}

/** The peer's open session; null when it has none. */
export const sessionOf = (peer: Peer): SessionRef | null =>
  isConnected(peer.state) && peer.session !== null
    ? { peerId: peer.id, session: peer.session, epoch: peer.epoch }
    : null;

/** The peer of this ID, or of the key that it has rotated to. */
export const peerOf = ({ registry, now }: Context, id: PeerId): Peer | null =>
  registry.peers.get(id) ?? registry.peers.get(registry.aliases.resolve(id, now));

/** What admission needs to know about a key, also whether it uses the weaker protocol without permission. */
export const standingOf = (
  context: Context,
  { id, spokeMuster2, protocol }: Pick<Peer, "id" | "spokeMuster2" | "protocol">,
  entry: Allowed | null,
): Standing => ({
  mode: authMode(context),
  denied: context.registry.denylist.reasonOf(id),
  allowedRoles: entry?.roles ?? null,
  downgraded: spokeMuster2 && protocol === "go-p2p/1.0" && entry?.goP2p !== true,
});

/** Whether the mesh would admit the peer now, and with which rights: also while it has no session. */
export const admissionOf = (context: Context, peer: Peer): Result<Admission, SessionFault> =>
  admit(standingOf(context, peer, context.registry.allowlist.get(peer.publicKey)), peer.role);

/** How an attempt ended for its peer. */
export type Outcome = OutcomeKind | "none";

/**
 * A peer's attempt ended: records the outcome for the peer, which holds one task less.
 *
 * @param weight how much the outcome says about the peer, 0..1
 */
export function recordAttemptEnd(
  context: Context,
  peerId: PeerId,
  outcome: Outcome,
  weight = 1,
): void {
  markWorkAvailable(context);
  const peer = context.registry.peers.get(peerId);
  if (peer === null) return; // the record was removed meanwhile
  const { registry, now } = context;
  const observed = registry.observed.get(peerId) ?? nothingObserved(now);
  if (outcome !== "none") {
    const outcomes = countOutcome(observed.outcomes, outcome, now, weight);
    registry.observed.put(peerId, { ...observed, outcomes });
  }
  if (peer.scheduling.drainUntil !== null) markDrainsDue(context);
  // After a crash `held` is counted again for connected peers only.
  const save = isConnected(peer.state) ? saveMeasured : savePeer;
  save(context, {
    ...peer,
    held: Math.max(0, peer.held - 1),
    earnedSlots: earnedSlots(observed.parallelism),
    successes: peer.successes + Number(outcome === "success"),
    failures: peer.failures + Number(outcome === "failure" || outcome === "timeout"),
  });
}

/** Records an outcome for a peer whose attempt has ended already. */
export function countOutcomeOf(
  context: Context,
  peerId: PeerId,
  outcome: OutcomeKind,
  weight: number,
): void {
  const { registry, now } = context;
  const peer = registry.peers.get(peerId);
  if (peer === null) return;
  const observed = registry.observed.get(peerId) ?? nothingObserved(now);
  registry.observed.put(peerId, {
    ...observed,
    outcomes: countOutcome(observed.outcomes, outcome, now, weight),
  });
  const save = isConnected(peer.state) ? saveMeasured : savePeer;
  save(context, { ...peer, failures: peer.failures + Number(outcome !== "refusal") });
}

/** Takes a part of an earlier failure of a peer back: other peers have failed at the same task. */
export function takeBackFailure(
  context: Context,
  peerId: PeerId,
  outcome: OutcomeKind,
  weight: number,
): void {
  const { registry, now } = context;
  const [peer, observed] = [registry.peers.get(peerId), registry.observed.get(peerId)];
  if (peer === null || observed === null) return;
  const outcomes = countOutcome(observed.outcomes, outcome, now, -weight);
  registry.observed.put(peerId, { ...observed, outcomes });
  if (isConnected(peer.state)) saveMeasured(context, peer);
}

/** Time for the direct attempt to end a session, before the outbox repeats it. */
const END_SESSION_REPEAT: Millis = 10_000;

/**
 * Ends a session whose peer may no longer be connected: at once by an effect, and by the outbox until the session
 * confirms it.
 */
export function endSession(context: Context, peer: Peer, fault: EndFault): void {
  const to = sessionOf(peer);
  if (to === null) return;
  context.effects.push({ type: "end_session", to, fault });
  addToOutbox(context, { kind: "end_session", to, fault }, context.now + END_SESSION_REPEAT);
}
