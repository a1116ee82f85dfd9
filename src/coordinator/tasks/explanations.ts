import { toRfc3339, type Millis } from "../../base/clock.ts";
import { ok } from "../../base/result.ts";
import type { ScoreView, WhyView } from "../../protocol/http.ts";
import { isConnected } from "../../peers/lifecycle.ts";
import type { Peer } from "../../peers/peer.ts";
import { nothingObserved } from "../../scoring/observed.ts";
import { failureRisk, outcomesAt, outcomesKnown } from "../../scoring/outcomes.ts";
import { parts, type Factor, type Part } from "../../scoring/score.ts";
import { uptimeAfter } from "../../scoring/uptime.ts";
import { ranking, type Contender } from "../../tasks/assignment.ts";
import { DEFAULT_POLICY } from "../../tasks/policy.ts";
import { costScore, recompute, type StoredChoice } from "../../tasks/stored-choice.ts";
import type { Task } from "../../tasks/task.ts";
import type { Context } from "../kernel/context.ts";
import { decide, storedOf } from "./decision.ts";
import { notFound, type Handler } from "../kernel/handler.ts";
import { metricsOf, peerOf, scoreOf } from "../peers/peers.ts";
import { visibleTask } from "./submit.ts";

/** Kinds whose service times are shown of a peer. */
const KINDS_SHOWN = 32;

/** What a peer's score is made of, factor by factor. */
export const getScore: Handler<"get_score"> = (context, { id }) => {
  const peer = peerOf(context, id);
  if (peer === null) return notFound("peer of this ID");
  const { registry, config, now } = context;
  const { outcomes, uptime } = registry.observed.get(peer.id) ?? nothingObserved(now);
  const { successes, failures, timeouts, refusals } = outcomesAt(outcomes, now);
  const { prior } = config.policy.name === "expected-cost" ? config.policy : DEFAULT_POLICY;
  const { rtt } = peer;
  return ok({
    peer_id: peer.id,
    ...scoreOf(context, peer),
    factors: factorsOf(context, peer),
    outcomes: { successes, failures, timeouts, refusals },
    failure_risk: failureRisk(outcomes, prior, now),
    uptime: uptime === null ? null : uptimeAfter(uptime, isConnected(peer.state), now).share,
    rtt:
      rtt === null
        ? null
        : {
            smoothed_ms: rtt.smoothedMs,
            variance_ms: rtt.varianceMs,
            min_ms: rtt.minMs,
            samples: rtt.samples,
          },
    service_times: registry.serviceTimes
      .ofPeer(peer.id, KINDS_SHOWN)
      .map(({ kind, meanMs, weight }) => ({ kind, mean_ms: meanMs, samples: weight })),
  });
};

const once = (raw: number | null): number => Number(raw !== null);

function factorsOf(context: Context, peer: Peer): ScoreView["factors"] {
  const { registry, config, now } = context;
  const { outcomes, connectedAt } = registry.observed.get(peer.id) ?? nothingObserved(now);
  const all = parts(metricsOf(context, peer), config.weights);
  const age = (at: Millis | null) => (at === null ? null : Math.max(0, now - at) / 1_000);
  const view = (
    factor: Factor,
    unit: ScoreView["factors"]["latency"]["unit"],
    samples: number,
    at: Millis | null,
  ) => {
    const { raw, normalised, known, weight, part }: Part = all[factor];
    const age_seconds = raw === null ? null : age(at);
    return { raw, unit, normalised, known, weight, part, age_seconds, samples };
  };
  return {
    latency: view("latency", "ms", peer.rtt?.samples ?? 0, peer.lastSeen),
    reliability: view("reliability", "share", outcomesKnown(outcomes, now), outcomes.at),
    hops: view("hops", "hops", once(peer.hops), connectedAt),
    distance: view("distance", "km", once(peer.geoKm), connectedAt),
  };
}

/** Why a task went to whom it went, from what was stored of the choice; while it waits, how things stand for it now. */
export const whyTask: Handler<"why_task"> = (context, { id, attempt, visibleTo }) => {
  const task = visibleTask(context, id, visibleTo);
  if (task === null) return notFound("task of this ID");
  if (attempt === undefined && task.state === "queued")
    return ok(whyView(task.id, null, asThingsStand(context, task)));
  const stored = context.registry.choices.get(id, attempt ?? null);
  return stored === null
    ? notFound("choice for this task; they are kept for 7 days")
    : ok(whyView(task.id, stored.fence, stored.choice));
};

/** The choice that would be made now, for a task that waits. */
const asThingsStand = (context: Context, task: Task): StoredChoice =>
  storedOf(context, decide(context, { ...task, seq: 0, shape: task }));

function whyView(taskId: string, attempt: number | null, stored: StoredChoice): WhyView {
  const again = recompute(stored);
  const { name, ...constants } = stored.policy;
  return {
    task_id: taskId,
    attempt,
    at: toRfc3339(stored.at),
    policy: name,
    chosen: stored.chosen,
    by: stored.by,
    reproduced: (again.peer?.peerId ?? null) === stored.chosen && again.by === stored.by,
    eligible: stored.eligible,
    mean_cost_ms: stored.meanCostMs,
    contenders: ranking(again).map((one) => contenderView(one, stored)),
    ruled_out: stored.ruledOut,
    excluded: stored.excluded.map(({ peerId, rule }) => ({ peer_id: peerId, rule })),
    draws: stored.draws,
    constants,
  };
}

function contenderView(
  { peer, cost, heldBack }: Contender,
  { chosen, meanCostMs }: StoredChoice,
): WhyView["contenders"][number] {
  const { evidence } = peer;
  const { outcomes, service } = evidence;
  return {
    peer_id: peer.peerId,
    chosen: peer.peerId === chosen,
    worth: cost === null ? peer.score : costScore(cost.totalMs, meanCostMs ?? 0),
    held_back_by: [...heldBack],
    cost:
      cost === null
        ? null
        : {
            rtt_ms: cost.rttMs,
            wait_ms: cost.waitMs,
            service_ms: cost.serviceMs,
            failure_ms: cost.failureMs,
            loss_ms: cost.lossMs,
            total_ms: cost.totalMs,
          },
    held: peer.held,
    slots: peer.slots,
    inputs: {
      score: peer.score,
      rtt_ms: evidence.rttMs,
      rtt_variance_ms: evidence.rttVarianceMs,
      successes: outcomes.successes,
      failures: outcomes.failures,
      timeouts: outcomes.timeouts,
      refusals: outcomes.refusals,
      outcomes_at: toRfc3339(outcomes.at),
      service_ms: service?.meanMs ?? null,
      service_samples: service?.weight ?? 0,
      connected_at: evidence.connectedAt === null ? null : toRfc3339(evidence.connectedAt),
      share: evidence.share,
      near_ms: evidence.nearMs,
    },
  };
}
