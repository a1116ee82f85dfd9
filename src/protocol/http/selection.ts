import { z } from "zod";
import { PeerId, Uuid } from "../ids.ts";
import { nullOr } from "../schema/null-or.ts";
import { Time } from "./page.ts";
import { queryInt } from "./query-number.ts";

const Share = z.number().min(0).max(1);

const FactorView = z
  .object({
    raw: z
      .number()
      .nullable()
      .meta({ description: "The measured value; null if it was never measured" }),
    unit: z.enum(["ms", "share", "hops", "km"]),
    normalised: Share.meta({ description: "1 is best; 0.5 if nothing is known" }),
    known: Share.meta({ description: "How much of the value is based on measurements" }),
    weight: Share,
    part: Share.meta({ description: "Its contribution to the score: weight times normalised" }),
    age_seconds: z
      .number()
      .nullable()
      .meta({ description: "The age of the newest measurement; null if there is none" }),
    samples: z
      .number()
      .meta({ description: "The number of samples; for outcomes, their decayed count" }),
    source: z.string().meta({
      description: "Where the value comes from, in words: who measured it, and by what",
    }),
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
      .meta({ description: "The outcomes of attempts, with a half-life of one hour" }),
    failure_risk: Share.meta({ description: "The expected share of failed attempts" }),
    uptime: Share.nullable().meta({
      description: "The share of time connected, weighted towards recent time",
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
      .meta({ description: "The mean duration of tasks by kind, for the most frequent kinds" }),
  })
  .meta({ id: "Score" });
export type ScoreView = z.infer<typeof ScoreView>;

const CostView = z
  .object({
    rtt_ms: z.number(),
    wait_ms: z.number().meta({ description: "The expected time until a slot is free" }),
    service_ms: z.number(),
    failure_ms: z.number().meta({ description: "The cost of a failure times its risk" }),
    loss_ms: z
      .number()
      .meta({ description: "The cost of losing the peer during the task times its risk" }),
    total_ms: z.number(),
  })
  .meta({ id: "Cost" });

const ContenderView = z
  .object({
    peer_id: PeerId,
    chosen: z.boolean(),
    worth: Share.meta({
      description: "The cost as a score: 1 / (1 + cost / mean cost); under best-score, the score",
    }),
    held_back_by: z
      .array(z.enum(["circuit_not_closed", "no_free_slot", "failed_before", "over_share"]))
      .meta({ description: "Why it ranks behind other peers, independent of its cost" }),
    cost: nullOr(CostView),
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
      .meta({ description: "The values that the choice used" }),
  })
  .meta({ id: "Contender" });

export const WhyQuery = z.strictObject({
  attempt: queryInt(1, 1_000_000)
    .optional()
    .meta({ description: "The attempt whose choice to show; default: the newest" }),
});

export const WhyView = z
  .object({
    task_id: Uuid,
    cells: z
      .object({
        cell: z.int().meta({ description: "The cell that has the task" }),
        considered: z.array(z.int()).meta({
          description:
            "The cells that were compared when it was submitted, the better one first, and the one that it has moved to",
        }),
      })
      .optional()
      .meta({ description: "Absent in a mesh of one cell" }),
    attempt: z.int().nullable().meta({ description: "Null if the task has not been assigned yet" }),
    at: Time,
    policy: z.enum(["expected-cost", "best-score"]),
    chosen: PeerId.nullable(),
    by: z.enum(["measure", "newcomer", "probe", "near", "load"]).nullable().meta({
      description:
        "`measure`: the policy's measure; `newcomer`: a peer without history, for exploration; `near`: the nearest of the best peers; `load`: the least loaded of the peers whose cost is comparable to the best one's",
    }),
    waits_because: z.string().nullable().default(null).meta({
      description:
        "Why a queued task waits, in words; null if only tasks before it delay it, or if it is not queued",
    }),
    reproduced: z.boolean().meta({
      description: "Whether recomputing the choice from the stored values gives the same peer",
    }),
    eligible: z.int().meta({ description: "How many peers could have received the task" }),
    mean_cost_ms: z.number().nullable(),
    contenders: z
      .array(ContenderView)
      .meta({ description: "The chosen peer and the best of the others, the best first" }),
    ruled_out: z
      .record(z.string(), z.int())
      .meta({ description: "How many connected peers each rule excluded" }),
    excluded: z
      .array(z.object({ peer_id: PeerId, rule: z.string() }))
      .meta({ description: "Some of the excluded peers" }),
    draws: z.object({ lot: z.number(), venture: z.number() }),
    constants: z
      .record(z.string(), z.unknown())
      .meta({ description: "The policy's constants at that time" }),
  })
  .meta({ id: "Why" });
export type WhyView = z.infer<typeof WhyView>;
