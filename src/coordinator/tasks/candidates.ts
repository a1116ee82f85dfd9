import type { Peer } from "../../peers/peer.ts";
import { takesTasks } from "../../peers/scheduling.ts";
import type { PeerId } from "../../protocol/ids.ts";
import type { WaitingTask } from "../../registry/task-rows.ts";
import { hintedRttMs } from "../../scoring/measure.ts";
import { nothingObserved } from "../../scoring/observed.ts";
import { placesOf, type Candidate, type Demand } from "../../tasks/eligibility.ts";
import type { Evidence } from "../../tasks/evidence.ts";
import { refusedUntil } from "../../tasks/retry.ts";
import type { Attempt, AttemptState } from "../../tasks/task.ts";
import type { Context } from "../kernel/context.ts";
import { nearnessTo, type Nearness } from "../peers/nearness.ts";

/** A task as the choice sees it: its requirements, and the peers that had it before. */
export function demandOf({ registry, now }: Context, task: WaitingTask): Demand {
  const attempts: readonly Attempt[] = task.fence === 0 ? [] : registry.attempts.of(task.id);
  const { service, incumbent } = registry.kinds.get(task.kind);
  return {
    kind: task.kind,
    requirements: task.requirements,
    tried: peersOf(attempts, ({ state }) => TRIED.has(state)),
    refused: peersOf(attempts, (one) => one.state === "refused" && now < refusedUntil(one)),
    service,
    incumbent,
  };
}

/** States of attempts that a peer began and did not complete. */
const TRIED: ReadonlySet<AttemptState> = new Set(["failed", "timed_out", "lost"]);

const peersOf = (attempts: readonly Attempt[], which: (attempt: Attempt) => boolean) =>
  new Set(attempts.filter(which).map((attempt) => attempt.peerId));

/** Peers as the choice sees them for a task, with the evidence about each. */
export function candidatesOf(
  context: Context,
  { kind, requirements }: Demand,
  peers: readonly Peer[],
): readonly Candidate[] {
  const { observed, serviceTimes, tasks } = context.registry;
  const ids = peers.map(({ id }) => id);
  observed.kept.load(ids);
  serviceTimes.load(ids, kind);
  const near = nearnessTo(context, requirements.near);
  return peers.map((peer) => ({
    peerId: peer.id,
    role: peer.role,
    active: peer.state === "active",
    cordoned: !takesTasks(peer.scheduling),
    kinds: peer.kinds,
    capabilities: peer.capabilities,
    slots: peer.slots,
    prefetch: peer.prefetch,
    // A peer that has not answered many offers gets no more for now, as if its slots were in use.
    held: tasks.waiting.isWaitedFor(peer.id) ? Math.max(peer.held, placesOf(peer)) : peer.held,
    score: peer.score,
    evidence: evidenceOf(context, peer, kind, near),
  }));
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
