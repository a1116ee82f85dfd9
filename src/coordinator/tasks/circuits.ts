import { HOUR, type Millis } from "../../base/clock.ts";
import type { Peer } from "../../peers/peer.ts";
import type { PeerId } from "../../protocol/ids.ts";
import { WHOLE_PEER, type RestingCircuit } from "../../registry/resting-circuits.ts";
import type { Shape } from "../../registry/waiting-tasks.ts";
import {
  circuitState,
  isPanic,
  isProbed,
  jointState,
  type CircuitState,
} from "../../tasks/circuit.ts";
import type { Context } from "../kernel/context.ts";

/**
 * A peer that has rested and was not probed for this long is chosen like any other: in a mesh with few tasks, probes are too
 * rare to find out that it works again.
 */
const UNPROBED_MAX: Millis = HOUR;

/** The peers whose circuit is not closed for a kind. */
export type Resting = ReadonlyMap<PeerId, CircuitState>;

export function restingAt({ registry, now }: Context, kind: string): Resting {
  const found = new Map<PeerId, CircuitState>();
  for (const [peerId, restsUntil] of registry.circuits.resting.at(kind))
    if (now < restsUntil + UNPROBED_MAX) {
      const rest = now < restsUntil ? restOf(registry, peerId, kind, now) : "half_open";
      found.set(peerId, rest);
    }
  return found;
}

/** The state of one circuit that is not closed. */
export function stateOfResting(
  { circuits }: Context["registry"],
  { peerId, kind, restsUntil }: RestingCircuit,
  now: Millis,
): CircuitState {
  if (now >= restsUntil + UNPROBED_MAX) return "closed";
  return now < restsUntil ? circuitState(circuits.get(peerId, kind), now) : "half_open";
}

const restOf = (
  { circuits }: Context["registry"],
  peerId: PeerId,
  kind: string,
  now: Millis,
): CircuitState =>
  jointState([WHOLE_PEER, kind].map((scope) => circuitState(circuits.get(peerId, scope), now)));

/** Whether so many of the peers that could do the task rest that the circuits say nothing about the peers. */
export function inPanic({ registry }: Context, shape: Shape, resting: Resting): boolean {
  if (resting.size === 0) return false;
  const { peer_id: named } = shape.requirements;
  if (named !== undefined) return resting.has(named);
  let [rest, capable] = [0, registry.roster.capable(shape)];
  for (const [id, state] of resting) {
    const peer = registry.peers.get(id);
    if (peer === null || !registry.roster.isCapable(shape, peer)) continue;
    if (state === "refusing") capable--;
    if (state === "open") rest++;
  }
  return isPanic(rest, capable);
}

/**
 * Whether the peer gets one task at a time, of the kind or of any if the peer as a whole rests, and holds one: a probe. Also a
 * peer that has failed at a kind that it never did is probed, before its circuit opens.
 */
export function isProbing({ registry }: Context, peer: Peer, kind: string): boolean {
  if (peer.held === 0) return false;
  const { circuits, serviceTimes, tasks } = registry;
  if (circuits.get(peer.id, WHOLE_PEER).restsUntil !== null) return true;
  const circuit = circuits.known(peer.id, kind);
  if (circuit === null || !isProbed(circuit, serviceTimes.get(peer.id, kind) !== null))
    return false;
  return tasks.heldBy(peer.id).some((id) => tasks.get(id)?.kind === kind);
}

/**
 * Whether any peer could get a task of this shape now: by its traits, and because it does not rest or can be probed.
 * Otherwise thousands of tasks would each be considered for a peer that rests.
 */
export function isAssignable(context: Context, shape: Shape, free = false): boolean {
  const { roster } = context.registry;
  if (!roster.isOpen(shape, free)) return false;
  const resting = restingAt(context, shape.kind);
  if (resting.size === 0) return true;
  const panic = inPanic(context, shape, resting);
  return roster.candidates(shape, resting.size + 1).some((peer) => {
    const state = resting.get(peer.id);
    if (state === undefined) return true;
    if (state === "refusing") return false;
    return (panic || state === "half_open") && !isProbing(context, peer, shape.kind);
  });
}

/**
 * Whether a connected peer that has not failed at the task could take it, now or once it has room. Undefined when the task
 * requires a score, which changes all the time: then only the candidates decide.
 */
export function couldOthersTake(
  { registry }: Context,
  shape: Shape,
  excluded: Iterable<PeerId>,
): boolean | undefined {
  const { peer_id: named, min_score: minScore } = shape.requirements;
  if (named !== undefined) return false;
  if (minScore !== undefined) return undefined;
  let others = registry.roster.capable(shape);
  for (const id of new Set(excluded)) {
    const peer = registry.peers.get(id);
    if (peer !== null && registry.roster.isCapable(shape, peer)) others--;
  }
  return others > 0;
}
