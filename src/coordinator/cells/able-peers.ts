import { DIGEST_LABELS_MAX, type KindDigest } from "../../cells/cell-digest.ts";
import type { Millis } from "../../base/clock.ts";
import type { Peer } from "../../peers/peer.ts";
import { takesTasks } from "../../peers/scheduling.ts";
import { EVERY_KIND, handlesKind } from "../../protocol/handled-kinds.ts";
import type { PeerId } from "../../protocol/ids.ts";
import type { Registry } from "../../registry/registry.ts";
import { WHOLE_PEER } from "../../registry/resting-circuits.ts";
import { takeAny } from "../../registry/roster.ts";
import { jointState, type CircuitState } from "../../tasks/circuit.ts";
import { hasSlot, placesOf, usableSlots } from "../../tasks/eligibility.ts";
import { stateOfResting } from "../tasks/circuits.ts";

/** What peers have for a kind. */
export type Handlers = Pick<KindDigest, "peers" | "slots" | "free" | "prefetched">;

/** What the peers of a cell have for tasks. */
export interface AblePeers {
  /** The kinds that peers name, and those at which any peer rests. */
  readonly kinds: Iterable<string>;
  readonly labels: ReadonlySet<string>;
  /** What they have for a kind. */
  readonly of: (kind: string) => Handlers;
  /** What those that handle every kind have, apart from peers that rest at single kinds. */
  readonly ofEvery: Handlers;
}

/**
 * The peers that take tasks, by the kinds that they name. Those whose circuit is not closed lack what they can't be given: if it counted, a
 * cell whose peers fail at once would look free, and get every task. Each peer and each circuit is looked at once, however many kinds there are.
 *
 * In a large cell each peer counts as one slot: it is free if any slot of the peer is, and a peer that has no room at all has prefetched a task.
 */
export function ablePeers(registry: Registry, now: Millis): AblePeers {
  const { roster } = registry;
  const found = new Tally();
  const labels = new Set<string>();
  const add = (of: Traits, handlers: Handlers): void => {
    for (const kind of of.kinds) found.add(kind, NOBODY); // it is listed
    for (const kind of placesIn(of.kinds)) found.add(kind, handlers);
    if (labels.size <= DIGEST_LABELS_MAX) for (const label of of.capabilities) labels.add(label);
  };
  const few = roster.allIfFew();
  for (const peer of few ?? []) if (takesAny(peer)) add(peer, slotsOf(peer));
  if (few === null)
    for (const { traits, members, ranked } of roster.census())
      if (takeAny(traits))
        add(traits, {
          peers: members,
          slots: members,
          free: traits.free ? ranked : 0,
          prefetched: traits.free ? 0 : members - ranked,
        });
  takeResting(found, registry, few === null ? placeOf : slotsOf, now);
  const every = found.of(EVERY_KIND);
  return {
    kinds: found.kinds().filter((kind) => kind !== EVERY_KIND),
    labels,
    of: (kind) => atLeastNobody(sumOf(found.of(kind), every)),
    ofEvery: atLeastNobody(every),
  };
}

/** Takes away what peers lack whose circuit is not closed. */
function takeResting(
  found: Tally,
  registry: Registry,
  handlersOf: (peer: Peer) => Handlers,
  now: Millis,
): void {
  for (const [id, states] of restingPeers(registry, now)) {
    const ofKinds = [...states].filter(([kind]) => kind !== WHOLE_PEER);
    for (const [kind] of ofKinds) found.add(kind, NOBODY);
    const peer = registry.peers.get(id);
    if (peer === null || !takesAny(peer)) continue;
    const handlers = handlersOf(peer);
    const whole = states.get(WHOLE_PEER) ?? "closed";
    const lacks = lackOf(handlers, whole, peer);
    for (const kind of placesIn(peer.kinds)) found.subtract(kind, lacks);
    for (const [kind, state] of ofKinds)
      if (handlesKind(peer.kinds, kind)) {
        found.add(kind, lacks); // taken away already
        found.subtract(kind, lackOf(handlers, jointState([whole, state]), peer));
      }
  }
}

/** The states of the circuits that are not closed, by peer and kind. */
function restingPeers(registry: Registry, now: Millis) {
  const found = new Map<PeerId, Map<string, CircuitState>>();
  for (const circuit of registry.circuits.resting.all()) {
    const ofPeer = found.get(circuit.peerId) ?? new Map<string, CircuitState>();
    found.set(circuit.peerId, ofPeer.set(circuit.kind, stateOfResting(registry, circuit, now)));
  }
  return found;
}

/** What a peer in this state can't be given: one that rests nothing, one that has rested a single task, which probes it. */
function lackOf(handlers: Handlers, state: CircuitState, { held }: Peer): Handlers {
  if (state === "closed") return NOBODY;
  if (state !== "half_open") return handlers;
  const probed = { ...ONE, free: Number(held === 0) };
  return atLeastNobody(combined(handlers, probed, (all, left) => all - left));
}

/** Where what a peer has is counted: one that handles every kind counts for each of them already. */
const placesIn = (kinds: readonly string[]): Iterable<string> =>
  kinds.includes(EVERY_KIND) ? [EVERY_KIND] : new Set(kinds);

/** Whether a peer takes tasks at all. */
const takesAny = (peer: Peer): boolean =>
  peer.state === "active" &&
  takesTasks(peer.scheduling) &&
  peer.role !== "controller" &&
  usableSlots(peer) > 0;

/** What a peer has in a small cell. */
function slotsOf(peer: Peer): Handlers {
  const slots = usableSlots(peer);
  const left = slots - peer.held;
  return { peers: 1, slots, free: Math.max(0, left), prefetched: Math.max(0, -left) };
}

/** What it has in a large one. */
function placeOf(peer: Peer): Handlers {
  const free = hasSlot(peer);
  return { ...ONE, free: Number(free), prefetched: Number(!free && peer.held >= placesOf(peer)) };
}

const NOBODY: Handlers = { peers: 0, slots: 0, free: 0, prefetched: 0 };
const ONE: Handlers = { peers: 1, slots: 1, free: 1, prefetched: 0 };

const combined = (a: Handlers, b: Handlers, by: (a: number, b: number) => number): Handlers => ({
  peers: by(a.peers, b.peers),
  slots: by(a.slots, b.slots),
  free: by(a.free, b.free),
  prefetched: by(a.prefetched, b.prefetched),
});
const sumOf = (a: Handlers, b: Handlers): Handlers => combined(a, b, (x, y) => x + y);
const atLeastNobody = (of: Handlers): Handlers => combined(of, NOBODY, (x, y) => Math.max(x, y));

/** Sums of what peers have, by kind. */
class Tally {
  readonly #sums = new Map<string, Handlers>();

  add(kind: string, handlers: Handlers): void {
    this.#sums.set(kind, sumOf(this.of(kind), handlers));
  }

  subtract(kind: string, handlers: Handlers): void {
    this.#sums.set(
      kind,
      combined(this.of(kind), handlers, (x, y) => x - y),
    );
  }

  of = (kind: string): Handlers => this.#sums.get(kind) ?? NOBODY;

  kinds = (): readonly string[] => [...this.#sums.keys()];
}

interface Traits {
  readonly kinds: readonly string[];
  readonly capabilities: readonly string[];
}
