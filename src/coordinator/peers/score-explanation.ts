import { type Millis } from "../../base/clock.ts";
import { ok } from "../../base/result.ts";
import type { ScoreView } from "../../protocol/http.ts";
import { isConnected } from "../../peers/lifecycle.ts";
import type { Peer } from "../../peers/peer.ts";
import { nothingObserved } from "../../scoring/observed.ts";
import { failureRisk, outcomesAt, outcomesKnown } from "../../scoring/outcomes.ts";
import { parts, type Factor, type Part } from "../../scoring/score.ts";
import { uptimeAfter } from "../../scoring/uptime.ts";
import { DEFAULT_POLICY } from "../../tasks/policy.ts";
import type { Context } from "../kernel/context.ts";
import { notFound, type Handler } from "../kernel/handler.ts";
import { factorSources } from "./factor-sources.ts";
import { metricsOf, peerOf, scoreOf } from "./scored-peers.ts";

/** Number of kinds whose service times are shown for a peer. */
const KINDS_SHOWN = 32;

/** Explains a peer's score, factor by factor. */
export const getScore: Handler<"get_score"> = (context, { id }) => {
  const peer = peerOf(context, id);
  if (peer === null) return notFound("peer with this ID");
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

const once = (raw: unknown): number => Number(raw !== null);

function factorsOf(context: Context, peer: Peer): ScoreView["factors"] {
  const { registry, config, now } = context;
  const observed = registry.observed.get(peer.id) ?? nothingObserved(now);
  const { outcomes, connectedAt, place } = observed;
  const metrics = metricsOf(context, peer);
  const route = metrics.hops === null ? null : observed.route;
  const all = parts(metrics, config.weights);
  const sources = factorSources(peer, observed, {
    now,
    isPlaced: config.place !== null,
    route,
    hops: metrics.hops,
  });
  const age = (at: Millis | null) => (at === null ? null : Math.max(0, now - at) / 1_000);
  const view = (
    factor: Factor,
    unit: ScoreView["factors"]["latency"]["unit"],
    samples: number,
    at: Millis | null,
  ) => {
    const { raw, normalised, known, weight, part }: Part = all[factor];
    const age_seconds = raw === null ? null : age(at);
    const source = sources[factor];
    return { raw, unit, normalised, known, weight, part, age_seconds, samples, source };
  };
  return {
    latency: view("latency", "ms", peer.rtt?.samples ?? 0, peer.lastSeen),
    reliability: view("reliability", "share", outcomesKnown(outcomes, now), outcomes.at),
    hops: view("hops", "hops", once(route), route?.at ?? connectedAt),
    distance: view("distance", "km", once(peer.geoKm), place?.at ?? connectedAt),
  };
}
