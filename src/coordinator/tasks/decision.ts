import type { Peer } from "../../peers/peer.ts";
import type { Roster } from "../../registry/roster.ts";
import type { Shape } from "../../registry/waiting-tasks.ts";
import type { WaitingTask } from "../../registry/task-rows.ts";
import type { Traits } from "../../scoring/peer-classes.ts";
import { choose, type Choice } from "../../tasks/assignment.ts";
import { exclusion, usableSlots, type Demand } from "../../tasks/eligibility.ts";
import {
  storeChoice,
  type Rule,
  type RuledOut,
  type StoredChoice,
} from "../../tasks/stored-choice.ts";
import { candidatesOf, demandOf } from "./candidates.ts";
import type { Context } from "../kernel/context.ts";

/** Number of peers that a choice considers in a large mesh: the best by score of those that could take the task. */
const CANDIDATES_CONSIDERED = 256;
/** Number of peer classes up to which excluded peers are counted by rule. */
const KINDS_COUNTED = 1_000;

/** A task that a peer could take now. */
export interface Waiting extends WaitingTask {
  readonly shape: Shape;
}

/** A choice, the task that it was made for, and how many peers were considered. */
export interface Decision {
  readonly demand: Demand;
  readonly choice: Choice;
  /** How many peers were considered; null when all connected peers were. */
  readonly looked: number | null;
  /** Whether there was any peer that could take the task, as far as its traits and its room say. */
  readonly hadTaker: boolean;
}

/** Chooses a peer for a task, by the configured policy. */
export function decide(context: Context, task: Waiting): Decision {
  const { registry, config, now, random } = context;
  const demand = demandOf(context, task, task.shape);
  const all = registry.roster.allIfFew();
  const peers = all ?? bestCandidates(context, demand, task.shape);
  // A prefetched task moves only to a free slot. Any other task may be prefetched.
  const open =
    task.peerId === null ? peers : peers.filter((peer) => isFreeFor(context, task.shape, peer));
  const choice = choose(demand, candidatesOf(context, demand, open), now, random, config.policy);
  const looked = all === null ? peers.length : null;
  return { demand, choice, looked, hadTaker: open.length > 0 };
}

/** Whether a peer has a free slot for a prefetched task, and no other prefetched task is on its way to that slot. */
function isFreeFor({ registry: { roster, tasks } }: Context, shape: Shape, peer: Peer): boolean {
  const free = usableSlots(peer) - peer.held;
  return free > 0 && tasks.recalls.countFor(peer.id) < free && roster.isCapable(shape, peer);
}

/** The peers to consider, plus as many as the task itself or their circuits may exclude. */
function bestCandidates(
  { registry }: Context,
  { kind, tried, refused, requirements: { avoid = [] } }: Demand,
  shape: Shape,
): readonly Peer[] {
  const resting = registry.circuits.resting.at(kind).size;
  const barred = tried.size + refused.size + avoid.length + resting;
  return registry.roster.candidates(shape, CANDIDATES_CONSIDERED + barred);
}

/** What is stored of a decision, so that it can be explained and recomputed. */
export function storedOf({ registry, config, now }: Context, decision: Decision): StoredChoice {
  const { demand, choice, looked } = decision;
  const unseen = looked === null ? {} : countNotConsidered(registry.roster, demand, looked);
  return storeChoice(demand, choice, now, config.policy, unseen);
}

/** Counts the peers that were not considered by the rule that excludes them, one peer class at a time. */
function countNotConsidered(roster: Roster, demand: Demand, looked: number): RuledOut {
  const others = roster.size - looked;
  if (demand.requirements.peer_id !== undefined) return { other_peer_named: others };
  const counts: Partial<Record<Rule, number>> = {};
  let [counted, kinds] = [0, 0];
  const count = (rule: Rule, peers: number) => {
    if (peers <= 0) return;
    counts[rule] = (counts[rule] ?? 0) + peers;
    counted += peers;
  };
  for (const { traits, members, ranked } of roster.census()) {
    if (kinds++ === KINDS_COUNTED) break;
    const rule = exclusion(demand, peerOfClass(traits));
    if (rule === null) count("no_room", members - ranked);
    else count(rule, members);
  }
  count("not_looked_at", others - counted);
  return counts;
}

/** A peer of this class, with room. */
const peerOfClass = (traits: Traits) => ({
  ...traits,
  peerId: "",
  slots: 1,
  prefetch: false,
  held: 0,
  score: 1,
});
