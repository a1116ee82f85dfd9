import type { Millis } from "../../base/clock.ts";
import type { Peer } from "../../peers/peer.ts";
import { takesTasks } from "../../peers/scheduling.ts";
import type { PeerId } from "../../protocol/ids.ts";
import { RETURN_GRACE } from "../../protocol/constants.ts";
import type { WaitingTask } from "../../registry/task-rows.ts";
import type { Shape } from "../../registry/waiting-tasks.ts";
import { hintedRttMs } from "../../scoring/measure.ts";
import { nothingObserved } from "../../scoring/observed.ts";
import { placesOf, type Candidate, type Demand } from "../../tasks/eligibility.ts";
import type { Evidence } from "../../tasks/evidence.ts";
import { refusedUntil } from "../../tasks/retry.ts";
import type { Attempt, AttemptState } from "../../tasks/task.ts";
import type { Context } from "../kernel/context.ts";
import { nearnessTo, type Nearness } from "../peers/nearness.ts";
import { couldOthersTake, inPanic, isProbing, restingAt, type Resting } from "./circuits.ts";

/** A task as the choice sees it: its requirements, and the peers that had it before. */
export function demandOf(context: Context, task: WaitingTask, shape: Shape): Demand {
  const { registry, now } = context;
  const attempts: readonly Attempt[] = task.fence === 0 ? [] : registry.attempts.of(task.id);
  const { service, incumbent } = registry.kinds.get(task.kind);
  const tried = peersOf(attempts, ({ state }) => TRIED.has(state));
  const refused = peersOf(attempts, (one) => one.state === "refused" && now < refusedUntil(one));
  const resting = restingAt(context, task.kind);
  const panic = inPanic(context, shape, resting);
  const barred = [...tried, ...refused, ...(task.requirements.avoid ?? [])];
  for (const [id, state] of resting)
    if (state === "refusing" || (state === "open" && !panic)) barred.push(id);
  const othersCouldTake = tried.size > 0 ? couldOthersTake(context, shape, barred) : undefined;
  return {
    kind: task.kind,
    requirements: task.requirements,
    tried,
    refused,
    panic,
    ...lostBy(context, attempts),
    ...(othersCouldTake !== undefined && { othersCouldTake }),
    service,
    incumbent,
  };
}

/**
 * States of attempts that a peer began and did not complete. Also of those that it gave up: a peer that gives up every task
 * would get it back, until its interruptions are used up.
 */
const TRIED: ReadonlySet<AttemptState> = new Set(["failed", "timed_out", "lost", "abandoned"]);

const peersOf = (attempts: readonly Attempt[], which: (attempt: Attempt) => boolean) =>
  new Set(attempts.filter(which).map((attempt) => attempt.peerId));

/** Peers as the choice sees them for a task, with the evidence about each. */
export function candidatesOf(
  context: Context,
  { kind, requirements, lost }: Demand,
  peers: readonly Peer[],
): readonly Candidate[] {
  const { observed, serviceTimes, tasks } = context.registry;
  const ids = peers.map(({ id }) => id);
  observed.kept.load(ids);
  serviceTimes.load(ids, kind);
  context.registry.circuits.load(ids, kind);
  const near = nearnessTo(context, requirements.near);
  const resting = restingAt(context, kind);
  return peers.map((peer) => ({
    peerId: peer.id,
    role: peer.role,
    active: peer.state === "active",
    cordoned: !takesTasks(peer.scheduling),
    kinds: peer.kinds,
    capabilities: peer.capabilities,
    slots: peer.slots,
    earnedSlots: peer.earnedSlots,
    prefetch: peer.prefetch,
    // A peer that has not answered many offers gets no more for now, as if its slots were in use.
    held: tasks.waiting.isWaitedFor(peer.id) ? Math.max(peer.held, placesOf(peer)) : peer.held,
    score: peer.score,
    evidence: evidenceOf(context, peer, kind, near),
    ...circuitOf(context, peer, kind, resting),
    ...(isReturning(peer, lost, context.now) && { returning: true }),
  }));
}

/** Begun attempts that were lost, of peers that have not returned since. */
function lostBy({ registry }: Context, attempts: readonly Attempt[]): Pick<Demand, "lost"> {
  const lost = attempts.filter(
    ({ state, peerId }) =>
      (state === "lost" || state === "timed_out") && registry.peers.get(peerId)?.state !== "active",
  );
  if (lost.length === 0) return {};
  const at = Math.max(...lost.map(({ endedAt, startedAt }) => endedAt ?? startedAt));
  return { lost: { at, by: lost.map(({ peerId }) => peerId) } };
}

const isReturning = (peer: Peer, lost: Demand["lost"], now: Millis): boolean =>
  lost !== undefined &&
  peer.since > lost.at &&
  peer.since <= now && // else the clock was set back
  now < peer.since + RETURN_GRACE &&
  !lost.by.includes(peer.id);

/** Of a peer whose circuit is closed and that is not probed nothing needs to be said. */
function circuitOf(context: Context, peer: Peer, kind: string, resting: Resting) {
  const circuit = resting.get(peer.id);
  const probing = isProbing(context, peer, kind);
  return { ...(circuit !== undefined && { circuit }), ...(probing && { probing }) };
}

function evidenceOf(context: Context, peer: Peer, kind: string, near: Nearness): Evidence {
  const { registry, now } = context;
  const { outcomes, connectedAt, place } = registry.observed.get(peer.id) ?? nothingObserved(now);
  return {
    rttMs: peer.rtt?.smoothedMs ?? hintedRttMs(peer.tcpRttMs, peer.geoKm),
    rttVarianceMs: peer.rtt?.varianceMs ?? null,
    outcomes,
    service: registry.serviceTimes.get(peer.id, kind),
    connectedAt,
    share: shareOf(context, peer.id),
    nearMs: near(peer.id, place),
  };
}

/** Counted only when the share is capped. */
const shareOf = ({ registry, config: { policy }, now }: Context, peerId: PeerId): number =>
  policy.name === "expected-cost" && policy.shareMax < 1 ? registry.shares.of(peerId, now) : 0;
