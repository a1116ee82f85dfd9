import type { Peer } from "../../peers/peer.ts";
import type { Roster } from "../../registry/roster.ts";
import type { Shape } from "../../registry/shapes.ts";
import type { WaitingTask } from "../../registry/tasks.ts";
import type { Traits } from "../../scoring/peer-classes.ts";
import { choose, type Choice } from "../../tasks/assignment.ts";
import { exclusion, hasSlot, type Demand } from "../../tasks/eligibility.ts";
import {
  storeChoice,
  type Rule,
  type RuledOut,
  type StoredChoice,
} from "../../tasks/stored-choice.ts";
import { candidatesOf, demandOf } from "./candidates.ts";
import type { Context } from "../kernel/context.ts";

/** Peers that a choice looks at among more than the roster calls few: the best by score, of those that could take it. */
const LOOKED_AT = 256;
/** Kinds of peers up to which it is counted which rule keeps which of them from a task. */
const KINDS_COUNTED = 1_000;

/** A task that could go to somebody now. */
export interface Waiting extends WaitingTask {
  readonly shape: Shape;
}

/** A choice, and for whom among whom. */
export interface Decision {
  readonly demand: Demand;
  readonly choice: Choice;
  /** How many peers were looked at; null for all that are connected. */
  readonly looked: number | null;
}

/** Chooses a peer for a task, by the configured policy. */
export function decide(context: Context, task: Waiting): Decision {
  const { registry, config, now, random } = context;
  const demand = demandOf(context, task);
  const all = registry.roster.everybody();
  const peers = all ?? foremost(registry.roster, demand, task.shape);
  // A task that waits at a peer moves only to a free slot; any other may as well wait at one.
  const open = task.peerId === null ? peers : peers.filter(hasSlot);
  const choice = choose(demand, candidatesOf(context, demand, open), now, random, config.policy);
  return { demand, choice, looked: all === null ? peers.length : null };
}

/** As many more are looked at as the task itself may rule out. */
const foremost = (
  roster: Roster,
  { refused, requirements: { avoid = [] } }: Demand,
  shape: Shape,
): readonly Peer[] => roster.candidates(shape, LOOKED_AT + refused.size + avoid.length);

/** What is kept of a decision, so that it can be explained and made again. */
export function storedOf({ registry, config, now }: Context, decision: Decision): StoredChoice {
  const { demand, choice, looked } = decision;
  const unseen = looked === null ? {} : unseenBy(registry.roster, demand, looked);
  return storeChoice(demand, choice, now, config.policy, unseen);
}

/** Why the peers that were not looked at did not get it, counted by kind. */
function unseenBy(roster: Roster, demand: Demand, looked: number): RuledOut {
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
    const rule = exclusion(demand, peerOfKind(traits));
    if (rule === null) count("no_room", members - ranked);
    else count(rule, members);
  }
  count("not_looked_at", others - counted);
  return counts;
}

/** Somebody of this kind, with room. */
const peerOfKind = (traits: Traits) => ({
  ...traits,
  peerId: "",
  slots: 1,
  prefetch: false,
  held: 0,
  score: 1,
});
