import { ok } from "../../base/result.ts";
import type { AskedRoom, Room } from "../../contract/task-moves.ts";
import type { Peer } from "../../peers/peer.ts";
import { QUEUE_MAX } from "../../protocol/constants.ts";
import type { PeerId } from "../../protocol/ids.ts";
import { usableSlots } from "../../tasks/eligibility.ts";
import type { Context } from "../kernel/context.ts";
import type { Handler } from "../kernel/handler.ts";
import { budgetsOf } from "../storage/budgets.ts";
import { isAssignable } from "../tasks/circuits.ts";
import { placesInQueue } from "../tasks/queue-limit.ts";
import { kindLimit, laneLimit } from "../tasks/running-limits.ts";

/** Peers that are looked at for one offer. */
const PEERS_CONSIDERED = 256;
/** Offers that are answered; the rest gets no room. */
const OFFERS_MAX = 64;

const NO_ROOM: Room = { places: 0, queue: 0 };

/** How many tasks of other cells could begin here now: in places that are free, that no task queued here could take, and that are counted once. */
export const askRoom: Handler<"ask_room"> = (context, { offers }) => {
  const { registry } = context;
  const taken = new Map<PeerId, number>();
  const queued = new Map<string, number>();
  const isOpen = acceptsTasks(context);
  const rooms = offers.map((offer, at): Room => {
    if (!isOpen || at >= OFFERS_MAX) return NO_ROOM;
    return {
      places: placesFor(context, offer, taken),
      queue: queueFor(context, offer, queued),
    };
  });
  return ok({ rooms, waiting: registry.tasks.waiting.length });
};

function acceptsTasks({ registry, config }: Context): boolean {
  const { own, topology } = registry.cells;
  const isActive = topology.cells[own] === "active";
  const hasRoom = registry.size() <= budgetsOf(config.storage.limit).submissions;
  return isActive && hasRoom && registry.tasks.waiting.length < QUEUE_MAX;
}

/** What may be queued here until a peer has room, counted once for each owner. */
function queueFor(
  context: Context,
  { shape, owner, count }: AskedRoom,
  queued: Map<string, number>,
) {
  if (context.registry.roster.capable(shape) === 0) return 0;
  const before = queued.get(owner) ?? 0;
  const places = Math.max(0, Math.min(count, placesInQueue(context, owner, shape) - before));
  queued.set(owner, before + places);
  return places;
}

function placesFor(context: Context, offer: AskedRoom, taken: Map<PeerId, number>): number {
  const { registry } = context;
  const { shape, owner } = offer;
  if (kindLimit(context, shape.kind) !== null || !isAssignable(context, shape, true)) return 0;
  if (laneLimit(context, { owner, concurrency: null }) !== null) return 0;
  const wanted = Math.min(offer.count, ownerPlaces(context, owner));
  let places = 0;
  for (const peer of registry.roster.candidates(shape, PEERS_CONSIDERED)) {
    if (places >= wanted) break;
    const free = freeSlots(peer) - (taken.get(peer.id) ?? 0);
    const given = Math.min(free, wanted - places);
    if (given <= 0) continue;
    taken.set(peer.id, (taken.get(peer.id) ?? 0) + given);
    places += given;
  }
  return places;
}

const freeSlots = (peer: Peer): number => Math.max(0, usableSlots(peer) - peer.held);

function ownerPlaces({ registry }: Context, owner: string): number {
  const { maxRunning } = registry.ownerLimits.of(owner);
  return maxRunning === null ? Infinity : maxRunning - registry.tasks.running.ofOwner(owner);
}
