/** The parts of the expected cost of giving a task to a peer, as the page draws them. */
import type { WhyView } from "../../../src/protocol/http.ts";

export type Contender = WhyView["contenders"][number];
type Cost = NonNullable<Contender["cost"]>;

/** In the order in which they are stacked: what a task takes first, then what may come on top. */
export const COST_PARTS = [
  { key: "rtt_ms", name: "round trip", color: "c1" },
  { key: "wait_ms", name: "waiting for a slot", color: "c2" },
  { key: "service_ms", name: "doing the task", color: "c3" },
  { key: "failure_ms", name: "risk of failing", color: "c4" },
  { key: "loss_ms", name: "risk of losing the peer", color: "c5" },
] as const satisfies readonly { key: keyof Cost; name: string; color: string }[];

export interface CostSegment {
  readonly name: string;
  readonly color: string;
  readonly ms: number;
  /** Its share of the highest total, so that the bars of several peers compare. */
  readonly share: number;
}

/** The segments of a peer's bar. Parts that cost nothing are left out. */
export const segmentsOf = (cost: Cost, highest: number): readonly CostSegment[] =>
  COST_PARTS.map(({ key, name, color }) => ({
    name,
    color,
    ms: cost[key],
    share: highest > 0 ? cost[key] / highest : 0,
  })).filter(({ ms }) => ms > 0);

/** The highest total of the peers that have one. */
export const highestCost = (contenders: readonly Contender[]): number =>
  Math.max(0, ...contenders.map(({ cost }) => cost?.total_ms ?? 0));

/** How the chosen peer was chosen, in a sentence. */
export const CHOICES: Readonly<Record<NonNullable<WhyView["by"]>, string>> = {
  measure: "It has the lowest expected cost.",
  newcomer: "It has no history yet, and got the task so that the mesh learns what it can do.",
  probe: "It kept failing before, and this task probes whether it works again.",
  near: "It is the nearest of the best peers.",
  load: "Its cost is comparable to the lowest one, and it has the least to do.",
};

/** In a mesh of several cells: where the task is. Only the peers of that cell are compared. */
export function cellsText({ cell, considered }: NonNullable<WhyView["cells"]>): string {
  const others = considered.filter((each) => each !== cell);
  const compared =
    others.length === 0
      ? "No other cell was considered"
      : `${others.length === 1 ? "Cell" : "Cells"} ${others.join(", ")} ${others.length === 1 ? "was" : "were"} considered, too`;
  return `The task is in cell ${cell}, whose peers are compared. ${compared}.`;
}

/** After a number of peers: why they could not have the task. */
export const RULED_OUT: Readonly<Record<string, string>> = {
  not_active: "not answering",
  cordoned: "cordoned or draining",
  controller: "only a controller",
  other_peer_named: "not the named peer",
  avoided: "to be avoided",
  other_role: "of another role",
  kind_not_handled: "without this kind",
  capability_missing: "without a required label",
  score_too_low: "below the required score",
  refused: "refused it a moment ago",
  others_may_return: "connected a moment ago, when others may return",
  failed_here: "failed at it",
  circuit_open: "resting after failures",
  probe_running: "being probed after failures",
  no_room: "without a free slot",
  not_looked_at: "not considered",
};

/** Why a peer ranks behind others, whatever it costs. */
export const HELD_BACK: Readonly<Record<string, string>> = {
  circuit_not_closed: "rests after failures",
  no_free_slot: "has no free slot",
  failed_before: "failed this task before",
  over_share: "has more than its share",
};
