import { ok } from "../../base/result.ts";
import { SECOND, type Millis } from "../../base/clock.ts";
import type { MoveOffer, MoveReason } from "../../contract/task-moves.ts";
import type { Lane, LaneTraits } from "../../registry/lanes.ts";
import type { StoredWaiting } from "../../registry/task-rows.ts";
import type { Shape } from "../../registry/waiting-tasks.ts";
import type { Context } from "../kernel/context.ts";
import type { Handler } from "../kernel/handler.ts";
import { attemptsBeforeMove } from "../../tasks/moving.ts";
import { inPanic, isAssignable, restingAt } from "../tasks/circuits.ts";
import { kindLimit, laneLimit } from "../tasks/running-limits.ts";
import { placeElsewhere } from "./placement.ts";

/** How long a task waits in the cell that accepted it before it may go to one with room. */
const MOVE_WAIT: Millis = SECOND / 4;
/** The same if somebody here has room: a task that still waits is excluded there for a reason of its own. */
const EXCLUDED_WAIT: Millis = SECOND;
/** Offers of one look. The next look begins at another shape. */
const OFFERS_MAX = 32;
/** Tasks that are counted of one offer. */
export const MOVED_AT_ONCE = 100;
/** Failed tasks that are read one by one: of a lane, and of all lanes at one look. Each costs a statement. */
const FAILED_OF_LANE = 50;
const FAILED_OF_LOOK = 400;
/** How often a task moves in search of room. Then it stays where somebody can take it, so that tasks do not move in circles. */
export const HOPS_MAX = 3;

export const listMoves: Handler<"list_moves"> = (context) => {
  const { registry, random } = context;
  if (registry.cells.isSingle) return ok({ offers: [] });
  const shapes = [...registry.tasks.waiting.shapes()];
  const first = Math.floor(random() * shapes.length);
  const offers = new Map<string, MoveOffer>();
  const budget = { left: FAILED_OF_LOOK, ofLane: FAILED_OF_LANE };
  for (const shape of [...shapes.slice(first), ...shapes.slice(0, first)]) {
    for (const offer of offersOf(context, shape, budget)) {
      const key = JSON.stringify([offer.shape, offer.owner, offer.reason, offer.to]);
      const count = (offers.get(key)?.count ?? 0) + offer.count;
      offers.set(key, { ...offer, count: Math.min(count, MOVED_AT_ONCE) });
      if (offers.size === OFFERS_MAX) return ok({ offers: [...offers.values()] });
    }
  }
  return ok({ offers: [...offers.values()] });
};

function* offersOf(context: Context, shape: Shape, budget: FailedBudget): Iterable<MoveOffer> {
  const { registry } = context;
  for (const lane of registry.tasks.waiting.lanes(shape, "queued")) {
    const why = reasonOf(context, shape, lane);
    if (why === null) continue;
    for (const reason of reasonsWith(why.reason)) {
      const leaving = { shape, lane, reason };
      const count = tasksOf(context, leaving, MOVED_AT_ONCE, budget).length;
      if (count > 0) yield { ...why, reason, shape, owner: lane.owner, count };
    }
  }
}

/** The reasons that tasks of a lane may have, if this is the one of the lane: single tasks have failed. */
export const reasonsWith = (reason: MoveReason): readonly MoveReason[] =>
  reason === "full" || reason === "excluded" ? ["failed", reason] : [reason];

type Why = Pick<MoveOffer, "reason" | "to">;

/** Why the tasks of a lane should be in another cell; null if they may stay. */
export function reasonOf(context: Context, shape: Shape, lane: LaneTraits): Why | null {
  const { registry } = context;
  const { own, topology } = registry.cells;
  if (registry.endedOwners.isEnding(lane)) return null;
  const elsewhere = placeElsewhere(registry, shape, lane);
  if (elsewhere !== null) return { reason: "placed", to: elsewhere };
  if (topology.cells[own] !== "active") return { reason: "draining", to: null };
  const isNamed = shape.requirements.peer_id !== undefined;
  if (isNamed || hasLimitsOfPeer(context, lane)) return null;
  if (laneLimit(context, lane) === "concurrency_key") return null;
  if (registry.roster.capable(shape) === 0) return { reason: "unable", to: null };
  const isHeld = kindLimit(context, shape.kind) !== null || laneLimit(context, lane) !== null;
  const isFull = isHeld || !isAssignable(context, shape);
  return { reason: isFull ? "full" : "excluded", to: null };
}

/** Only the home of a peer knows the limits of its tasks, so these stay there. */
function hasLimitsOfPeer({ registry }: Context, { source, owner }: LaneTraits): boolean {
  if (source !== "peer") return false;
  const { weight, maxRunning } = registry.ownerLimits.of(owner);
  return weight !== 1 || maxRunning !== null;
}

/** Tasks of a lane, and why they should move. */
interface Leaving {
  readonly shape: Shape;
  readonly lane: Lane;
  readonly reason: MoveReason;
}

/** How many failed tasks may still be read one by one: in all, and of one lane. */
interface FailedBudget {
  left: number;
  readonly ofLane: number;
}

/** The first tasks of a lane that may move for a reason. Those with a concurrency key only as far as its limit permits. */
export function tasksOf(
  context: Context,
  { shape, lane, reason }: Leaving,
  limit: number,
  budget: FailedBudget = { left: FAILED_OF_LOOK, ofLane: FAILED_OF_LOOK },
): readonly StoredWaiting[] {
  if (reason === "failed") return failedOf(context, { shape, lane }, limit, budget);
  const { now } = context;
  const mayMove = ({ notBefore }: StoredWaiting): boolean => {
    if (reason === "draining") return true;
    if (reason === "placed") return notBefore < now;
    return notBefore <= now - (reason === "excluded" ? EXCLUDED_WAIT : MOVE_WAIT);
  };
  const most = reason === "placed" ? limit : Math.min(limit, permitsLeft(context, lane));
  const found: StoredWaiting[] = [];
  for (const task of lane.tasks) {
    if (found.length >= most) break;
    if (mayMove(task)) found.push(task);
  }
  return found;
}

/** Some tasks of a lane that failed so often here that another cell should try, also while they pause. */
function failedOf(
  context: Context,
  { shape, lane }: Pick<Leaving, "shape" | "lane">,
  limit: number,
  budget: FailedBudget,
): readonly StoredWaiting[] {
  const { registry, random } = context;
  if (!lane.tasks.some(({ attemptsUsed }) => attemptsUsed > 0)) return [];
  const isPanicking = inPanic(context, shape, restingAt(context, shape.kind));
  const enough = attemptsBeforeMove(isPanicking);
  const failed = lane.tasks.filter(({ attemptsUsed }) => attemptsUsed >= enough);
  const most = Math.min(budget.ofLane, budget.left);
  // Those that may not move any more must not hide the others.
  const first = failed.length > most ? Math.floor(random() * failed.length) : 0;
  const looked = [...failed.slice(first), ...failed.slice(0, first)].slice(0, most);
  budget.left -= looked.length;
  return looked
    .filter(({ id, attemptsUsed }) => {
      const { hops, attempts } = registry.taskArrivals.get(id) ?? NEVER_MOVED;
      return hops < HOPS_MAX && attemptsUsed - attempts >= enough;
    })
    .slice(0, Math.max(0, Math.min(limit, permitsLeft(context, lane))));
}

const NEVER_MOVED = { hops: 0, attempts: 0 };

/** How many tasks of a lane's concurrency key may leave: each counts as running until it has ended in the other cell. */
export function permitsLeft(
  { registry }: Pick<Context, "registry">,
  { owner, concurrency }: Pick<LaneTraits, "owner" | "concurrency">,
): number {
  if (concurrency === null) return Number.POSITIVE_INFINITY;
  const { tasks, taskForwards } = registry;
  const held = tasks.running.ofKey(owner, concurrency.key);
  return concurrency.limit - held - taskForwards.permitsOf(owner, concurrency.key);
}
