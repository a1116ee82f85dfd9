import { z } from "zod";
import { PeerId, Uuid } from "../ids.ts";
import { Time } from "./page.ts";

const Share = z.number().min(0).max(1);

const FactorView = z
  .object({
    raw: z.number().nullable().meta({ description: "As measured; null was never measured" }),
    unit: z.enum(["ms", "share", "hops", "km"]),
    normalised: Share.meta({ description: "1 is best; 0.5 when nothing is known" }),
    known: Share.meta({ description: "How much of it rests on measurements" }),
    weight: Share,
    part: Share.meta({ description: "What it adds to the score: weight times normalised" }),
    age_seconds: z
      .number()
      .nullable()
      .meta({ description: "Since the newest measurement; null when there is none" }),
    samples: z.number().meta({ description: "What it rests on; of outcomes the decayed count" }),
  })
  .meta({ id: "Factor" });

export const ScoreView = z
  .object({
    peer_id: PeerId,
    score: Share,
    confidence: Share,
    factors: z.object({
      latency: FactorView,
      reliability: FactorView,
      hops: FactorView,
      distance: FactorView,
    }),
    outcomes: z
      .object({
        successes: z.number(),
        failures: z.number(),
        timeouts: z.number(),
        refusals: z.number(),
      })
      .meta({ description: "How attempts ended, each counting half after an hour" }),
    failure_risk: Share.meta({ description: "Expected share of failed attempts" }),
    uptime: Share.nullable().meta({
      description: "Share of time connected, the recent counting most",
    }),
    rtt: z
      .object({
        smoothed_ms: z.number(),
        variance_ms: z.number(),
        min_ms: z.number(),
        samples: z.int(),
      })
      .nullable(),
    service_times: z
      .array(z.object({ kind: z.string(), mean_ms: z.number(), samples: z.number() }))
      .meta({ description: "How long tasks of a kind take here; the kinds met most" }),
  })
  .meta({ id: "Score" });
export type ScoreView = z.infer<typeof ScoreView>;

const CostView = z
  .object({
    rtt_ms: z.number(),
    wait_ms: z.number().meta({ description: "Until a slot is free" }),
    service_ms: z.number(),
    failure_ms: z.number().meta({ description: "Price of a failure times its risk" }),
    loss_ms: z.number().meta({ description: "Price of losing the peer meanwhile times its risk" }),
    total_ms: z.number(),
  })
  .meta({ id: "Cost" });

const ContenderView = z
  .object({
    peer_id: PeerId,
    chosen: z.boolean(),
    worth: Share.meta({
      description: "As a score: 1 / (1 + cost / mean cost), or the score under best-score",
    }),
    held_back_by: z
      .array(z.enum(["no_free_slot", "failed_before", "over_share"]))
      .meta({ description: "What puts it behind others, whatever its cost" }),
    cost: CostView.nullable(),
    held: z.int(),
    slots: z.int(),
    inputs: z
      .object({
        score: Share,
        rtt_ms: z.number().nullable(),
        rtt_variance_ms: z.number().nullable(),
        successes: z.number(),
        failures: z.number(),
        timeouts: z.number(),
        refusals: z.number(),
        outcomes_at: Time,
        service_ms: z.number().nullable(),
        service_samples: z.number(),
        connected_at: Time.nullable(),
        share: Share,
        near_ms: z.number().nullable(),
      })
      .meta({ description: "What was known of it then" }),
  })
  .meta({ id: "Contender" });

export const WhyQuery = z.object({
  attempt: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .meta({ description: "Which attempt's choice; the newest unless given" }),
});

export const WhyView = z
  .object({
    task_id: Uuid,
    attempt: z.int().nullable().meta({ description: "Null while the task was given to nobody" }),
    at: Time,
    policy: z.enum(["expected-cost", "best-score"]),
    chosen: PeerId.nullable(),
    by: z.enum(["measure", "newcomer", "near"]).nullable().meta({
      description: "The policy's measure; a newcomer to be tried; the nearest of the best",
    }),
    reproduced: z
      .boolean()
      .meta({ description: "Made again from what was stored, the choice is the same" }),
    eligible: z.int().meta({ description: "Peers that could have had the task" }),
    mean_cost_ms: z.number().nullable(),
    contenders: z
      .array(ContenderView)
      .meta({ description: "The chosen one and the foremost of the others, the best first" }),
    ruled_out: z
      .record(z.string(), z.int())
      .meta({ description: "How many peers with a session each rule excluded" }),
    excluded: z
      .array(z.object({ peer_id: PeerId, rule: z.string() }))
      .meta({ description: "Some of them" }),
    draws: z.object({ lot: z.number(), venture: z.number() }),
    constants: z
      .record(z.string(), z.unknown())
      .meta({ description: "The policy's, as they were" }),
  })
  .meta({ id: "Why" });
export type WhyView = z.infer<typeof WhyView>;
