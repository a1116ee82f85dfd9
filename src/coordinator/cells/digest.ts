import {
  DIGEST_KINDS_MAX,
  DIGEST_LABELS_MAX,
  digestOfKind,
  type CellDigest,
  type KindDigest,
} from "../../cells/cell-digest.ts";
import type { Millis } from "../../base/clock.ts";
import { takesTasks } from "../../peers/scheduling.ts";
import { QUEUE_MAX } from "../../protocol/constants.ts";
import { EVERY_KIND } from "../../protocol/handled-kinds.ts";
import type { Registry } from "../../registry/registry.ts";
import { WHOLE_PEER } from "../../registry/resting-circuits.ts";
import { usableSlots } from "../../tasks/eligibility.ts";
import { budgetsOf } from "../storage/budgets.ts";
import type { Context } from "../kernel/context.ts";

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
  const { kinds: handled, labels } = handledIn(registry);
  const every = handled.get(EVERY_KIND) ?? NOBODY;
  handled.delete(EVERY_KIND);
  const queued = waiting.queuedKinds();
  const kinds: KindDigest[] = [
    ...new Set([...handled.keys(), ...queued.keys(), ...kindsWithResting(registry)]),
  ].map((kind) => ({
    kind,
    ...withoutResting(sumOf(handled.get(kind) ?? NOBODY, every), restingOf(registry, kind, now)),
    waiting: queued.get(kind) ?? 0,
    meanMs: registry.kinds.get(kind).service?.meanMs ?? null,
  }));
  kinds.sort((a, b) => b.peers + b.waiting - a.peers - a.waiting);
  const others = withoutResting(every, restingOf(registry, WHOLE_PEER, now));
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
const sumOf = (a: Handlers, b: Handlers): Handlers => ({
  peers: a.peers + b.peers,
  slots: a.slots + b.slots,
  free: a.free + b.free,
  prefetched: a.prefetched + b.prefetched,
});

/** How many peers rest at a kind: if they counted, a cell whose peers fail at once would look free, and get every task. */
function restingOf({ circuits }: Registry, kind: string, now: Millis): number {
  let resting = 0;
  for (const restsUntil of circuits.resting.at(kind).values()) resting += Number(now < restsUntil);
  return resting;
}

const kindsWithResting = ({ circuits }: Registry): readonly string[] =>
  [...circuits.resting.all()].map(({ kind }) => kind).filter((kind) => kind !== WHOLE_PEER);

/** As if these peers did not exist; it is not known which slots are theirs. */
function withoutResting(of: Handlers, resting: number): Handlers {
  const peers = Math.max(0, of.peers - resting);
  const share = of.peers === 0 ? 0 : peers / of.peers;
  const part = (slots: number): number => Math.ceil(slots * share);
  return {
    peers,
    slots: part(of.slots),
    free: part(of.free),
    prefetched: part(of.prefetched),
  };
}

/**
 * The peers that take tasks, by the kinds that they announce. In a large cell each peer counts as one slot: it is free if any slot of the peer is,
 * and a peer that has no room at all has prefetched a task.
 */
function handledIn({ roster }: Registry): {
  readonly kinds: Map<string, Handlers>;
  readonly labels: ReadonlySet<string>;
} {
  const kinds = new Map<string, Handlers>();
  const labels = new Set<string>();
  const add = (of: Traits, handlers: Handlers): void => {
    for (const kind of new Set(of.kinds))
      kinds.set(kind, sumOf(kinds.get(kind) ?? NOBODY, handlers));
    if (labels.size <= DIGEST_LABELS_MAX) for (const label of of.capabilities) labels.add(label);
  };
  const few = roster.allIfFew();
  for (const peer of few ?? [])
    if (peer.state === "active" && takesTasks(peer.scheduling) && peer.role !== "controller") {
      const slots = usableSlots(peer);
      if (slots > 0) add(peer, { peers: 1, slots, ...placesOf(slots, peer.held) });
    }
  if (few !== null) return { kinds, labels };
  for (const { traits, members, ranked } of roster.census())
    if (traits.active && traits.works && !traits.cordoned && traits.role !== "controller")
      add(traits, {
        peers: members,
        slots: members,
        free: traits.free ? ranked : 0,
        prefetched: traits.free ? 0 : members - ranked,
      });
  return { kinds, labels };
}

const placesOf = (slots: number, held: number): Pick<Handlers, "free" | "prefetched"> => ({
  free: Math.max(0, slots - held),
  prefetched: Math.max(0, held - slots),
});

interface Traits {
  readonly kinds: readonly string[];
  readonly capabilities: readonly string[];
}
