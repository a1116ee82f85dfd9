import {
  DIGEST_KINDS_MAX,
  DIGEST_LABELS_MAX,
  digestOfKind,
  type CellDigest,
  type KindDigest,
} from "../../cells/cell-digest.ts";
import type { Millis } from "../../base/clock.ts";
import type { Peer } from "../../peers/peer.ts";
import { takesTasks } from "../../peers/scheduling.ts";
import { QUEUE_MAX } from "../../protocol/constants.ts";
import { EVERY_KIND, handlesKind } from "../../protocol/handled-kinds.ts";
import type { Registry } from "../../registry/registry.ts";
import { WHOLE_PEER } from "../../registry/resting-circuits.ts";
import { hasSlot, placesOf, usableSlots } from "../../tasks/eligibility.ts";
import { budgetsOf } from "../storage/budgets.ts";
import type { Context } from "../kernel/context.ts";
import { restingAt } from "../tasks/circuits.ts";

/** A digest is made at most this often, however many callers ask: it takes less than a tenth of a millisecond. */
const DIGEST_AGE_MAX: Millis = 25;

/** The digest of a cell, made when it is asked for. */
export class OwnDigest {
  readonly #scope: Pick<Context, "registry" | "config">;
  #made: { readonly at: Millis; readonly digest: CellDigest } | null = null;

  constructor(scope: Pick<Context, "registry" | "config">) {
    this.#scope = scope;
  }

  read(now: Millis): CellDigest {
    const made = this.#made;
    if (made !== null && now >= made.at && now < made.at + DIGEST_AGE_MAX) return made.digest;
    const digest = digestOf(this.#scope, now);
    this.#made = { at: now, digest };
    return digest;
  }

  /** What it says about one kind. */
  loadOf(kind: string, now: Millis): KindDigest {
    const load = digestOfKind(this.read(now), kind);
    const waiting = this.#scope.registry.tasks.waiting.queuedKinds().get(kind) ?? 0;
    return { ...load, kind, waiting };
  }
}

/** What this cell says about its peers and its queue. */
export function digestOf(
  { registry, config }: Pick<Context, "registry" | "config">,
  now: Millis,
): CellDigest {
  const { waiting } = registry.tasks;
  const { kinds: handled, labels, handlersOf } = handledIn(registry);
  const every = handled.get(EVERY_KIND) ?? NOBODY;
  handled.delete(EVERY_KIND);
  const withoutResting = (kind: string, of: Handlers): Handlers =>
    differenceOf(of, restOf({ registry, handlersOf, now }, kind));
  const queued = waiting.queuedKinds();
  const kinds: KindDigest[] = [
    ...new Set([...handled.keys(), ...queued.keys(), ...kindsWithResting(registry)]),
  ].map((kind) => ({
    kind,
    ...withoutResting(kind, sumOf(handled.get(kind) ?? NOBODY, every)),
    waiting: queued.get(kind) ?? 0,
    meanMs: registry.kinds.get(kind).service?.meanMs ?? null,
  }));
  kinds.sort((a, b) => b.peers + b.waiting - a.peers - a.waiting);
  const others = withoutResting(WHOLE_PEER, every);
  const unlisted = kinds.slice(DIGEST_KINDS_MAX);
  const most = (of: (kind: KindDigest) => number, least: number) =>
    unlisted.reduce((max, kind) => Math.max(max, of(kind)), least);
  return {
    kinds: kinds.slice(0, DIGEST_KINDS_MAX),
    others: {
      peers: most(({ peers }) => peers, others.peers),
      slots: most(({ slots }) => slots, others.slots),
      free: most(({ free }) => free, others.free),
      prefetched: most(({ prefetched }) => prefetched, others.prefetched),
      waiting: most((kind) => kind.waiting, 0),
      meanMs: null,
    },
    labels: labels.size > DIGEST_LABELS_MAX ? null : [...labels],
    full:
      waiting.length >= QUEUE_MAX || registry.size() > budgetsOf(config.storage.limit).submissions,
  };
}

type Handlers = Pick<KindDigest, "peers" | "slots" | "free" | "prefetched">;

const NOBODY: Handlers = { peers: 0, slots: 0, free: 0, prefetched: 0 };
const combined = (a: Handlers, b: Handlers, by: (a: number, b: number) => number): Handlers => ({
  peers: by(a.peers, b.peers),
  slots: by(a.slots, b.slots),
  free: by(a.free, b.free),
  prefetched: by(a.prefetched, b.prefetched),
});
const sumOf = (a: Handlers, b: Handlers): Handlers => combined(a, b, (x, y) => x + y);
const differenceOf = (a: Handlers, b: Handlers): Handlers =>
  combined(a, b, (x, y) => Math.max(0, x - y));

interface RestScope {
  readonly registry: Registry;
  readonly handlersOf: (peer: Peer) => Handlers;
  readonly now: Millis;
}

/**
 * What peers whose circuit is not closed do not have for a kind: if it counted, a cell whose peers fail at once would look free, and get every
 * task. One that rests has nothing; one that has rested is probed by one task at a time.
 */
function restOf({ registry, handlersOf, now }: RestScope, kind: string): Handlers {
  let found = NOBODY;
  for (const [id, state] of restingAt({ registry, now }, kind)) {
    const peer = registry.peers.get(id);
    if (peer === null || !takesAny(peer) || !handlesKind(peer.kinds, kind)) continue;
    const left = state === "half_open" ? { ...ONE, free: Number(peer.held === 0) } : NOBODY;
    found = sumOf(found, differenceOf(handlersOf(peer), left));
  }
  return found;
}

const ONE: Handlers = { peers: 1, slots: 1, free: 1, prefetched: 0 };

const kindsWithResting = ({ circuits }: Registry): readonly string[] =>
  [...circuits.resting.all()].map(({ kind }) => kind).filter((kind) => kind !== WHOLE_PEER);

/** Whether a peer takes tasks at all. */
const takesAny = (peer: Peer): boolean =>
  peer.state === "active" &&
  takesTasks(peer.scheduling) &&
  peer.role !== "controller" &&
  usableSlots(peer) > 0;

/**
 * The peers that take tasks, by the kinds that they announce. In a large cell each peer counts as one slot: it is free if any slot of the peer is,
 * and a peer that has no room at all has prefetched a task.
 */
function handledIn({ roster }: Registry): {
  readonly kinds: Map<string, Handlers>;
  readonly labels: ReadonlySet<string>;
  /** What one of the peers adds. */
  readonly handlersOf: (peer: Peer) => Handlers;
} {
  const kinds = new Map<string, Handlers>();
  const labels = new Set<string>();
  const add = (of: Traits, handlers: Handlers): void => {
    const handlesAll = of.kinds.includes(EVERY_KIND);
    for (const kind of new Set(of.kinds)) {
      // One that handles every kind counts for each of them already.
      const added = handlesAll && kind !== EVERY_KIND ? NOBODY : handlers;
      kinds.set(kind, sumOf(kinds.get(kind) ?? NOBODY, added));
    }
    if (labels.size <= DIGEST_LABELS_MAX) for (const label of of.capabilities) labels.add(label);
  };
  const few = roster.allIfFew();
  for (const peer of few ?? []) if (takesAny(peer)) add(peer, slotsOf(peer));
  if (few !== null) return { kinds, labels, handlersOf: slotsOf };
  for (const { traits, members, ranked } of roster.census())
    if (traits.active && traits.works && !traits.cordoned && traits.role !== "controller")
      add(traits, {
        peers: members,
        slots: members,
        free: traits.free ? ranked : 0,
        prefetched: traits.free ? 0 : members - ranked,
      });
  return { kinds, labels, handlersOf: placeOf };
}

/** What a peer adds in a small cell. */
function slotsOf(peer: Peer): Handlers {
  const slots = usableSlots(peer);
  const left = slots - peer.held;
  return { peers: 1, slots, free: Math.max(0, left), prefetched: Math.max(0, -left) };
}

/** What it adds in a large one. */
function placeOf(peer: Peer): Handlers {
  const free = hasSlot(peer);
  return { ...ONE, free: Number(free), prefetched: Number(!free && peer.held >= placesOf(peer)) };
}

interface Traits {
  readonly kinds: readonly string[];
  readonly capabilities: readonly string[];
}
