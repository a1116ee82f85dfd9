import type { Millis } from "../base/clock.ts";
import { failureRisk } from "../scoring/outcomes.ts";
import { expectedServiceMs } from "../scoring/service-time.ts";
import { lossRisk } from "../scoring/uptime.ts";
import { usableSlots, type Candidate, type Demand } from "./eligibility.ts";
import type { ExpectedCost } from "./policy.ts";

/** The expected cost of assigning a task to a peer, in milliseconds, part by part. */
export interface Cost {
  readonly rttMs: number;
  /** Until a slot is free, when the task would be prefetched. */
  readonly waitMs: number;
  readonly serviceMs: number;
  /** The price of a failed attempt times its probability. */
  readonly failureMs: number;
  /** The price of losing the peer during the task times its probability. */
  readonly lossMs: number;
  readonly totalMs: number;
}

export function expectedCost(
  task: Demand,
  peer: Candidate,
  now: Millis,
  policy: ExpectedCost,
): Cost {
  const { held, evidence } = peer;
  const slots = usableSlots(peer);
  const rttMs =
    evidence.rttMs === null
      ? policy.rttUnknownMs
      : evidence.rttMs + policy.rttDeviations * (evidence.rttVarianceMs ?? 0);
  const serviceMs = expectedServiceMs(evidence.service, task.service, now, policy.serviceTimes);
  // With `slots` tasks of exponential length the first slot becomes free after 1/`slots` of their mean.
  const waitMs = held < slots ? 0 : ((held - slots + 1) * serviceMs) / Math.max(1, slots);
  const plainMs = rttMs + waitMs + serviceMs;
  const failureMs = policy.failurePriceMs * failureRisk(evidence.outcomes, policy.prior, now);
  const age = evidence.connectedAt === null ? 0 : now - evidence.connectedAt;
  const lossMs = policy.lossPriceMs * lossRisk(age - policy.silenceMs, plainMs + policy.silenceMs);
  return { rttMs, waitMs, serviceMs, failureMs, lossMs, totalMs: plainMs + failureMs + lossMs };
}
