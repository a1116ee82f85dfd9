import {
  DIGEST_KINDS_MAX,
  DIGEST_LABELS_MAX,
  digestOfKind,
  type CellDigest,
  type KindDigest,
} from "../../cells/cell-digest.ts";
import type { Millis } from "../../base/clock.ts";
import { QUEUE_MAX } from "../../protocol/constants.ts";
import { budgetsOf } from "../storage/budgets.ts";
import type { Context } from "../kernel/context.ts";
import { ablePeers } from "./able-peers.ts";

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
  const able = ablePeers(registry, now);
  const { labels, ofEvery: others } = able;
  const queued = waiting.queuedKinds();
  const kinds = [...new Set([...able.kinds, ...queued.keys()])].map((kind): KindDigest => ({
    kind,
    ...able.of(kind),
    waiting: queued.get(kind) ?? 0,
    meanMs: registry.kinds.get(kind).service?.meanMs ?? null,
  }));
  kinds.sort((a, b) => b.peers + b.waiting - a.peers - a.waiting);
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
