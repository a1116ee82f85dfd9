import { MINUTE, SECOND, type Millis } from "../../base/clock.ts";
import type { RollbackGuard } from "../../discovery/resolver.ts";
import type { Region } from "../../protocol/discovery.ts";
import type { PointerList, PointerView } from "../../protocol/http.ts";
import { handlesKind, type Role } from "../../protocol/messages.ts";
import type { PeerRecord } from "../../stmf/peer-record.ts";
import { delayFor } from "../http/request-retry.ts";

/** Which peers to find. A field that is left out matches every peer. */
export interface DiscoverOptions {
  readonly role?: Role;
  /** A label that the peer must have. */
  readonly capability?: string;
  /** Only peers that handle this kind of task. */
  readonly kind?: string;
  readonly region?: Region;
  /** 0 to 1. */
  readonly minScore?: number;
  /** After the present peers, yields changes until the signal aborts. Default false. */
  readonly follow?: boolean;
  /** How often `follow` asks for changes, in milliseconds; default 15 s. */
  readonly intervalMs?: Millis;
  /** How long `follow` continues while requests fail, in milliseconds; then it throws the error. Default 5 min. */
  readonly patienceMs?: Millis;
  /** Called for a pointer whose record does not verify, or can't be opened yet. */
  readonly onIgnored?: (pointer: PointerView, error: unknown) => void;
  readonly signal?: AbortSignal;
}

/** `found`: a matching peer is new, or its record has changed. `gone`: a peer that was found no longer matches. */
export type Discovered =
  | { readonly type: "found"; readonly peer: PeerRecord }
  | { readonly type: "gone"; readonly id: string };

export interface DiscoverPorts {
  readonly list: (
    query: Readonly<Record<string, string | number | undefined>>,
  ) => Promise<PointerList>;
  readonly resolve: (pointer: PointerView) => Promise<PeerRecord>;
  readonly guard: () => Promise<RollbackGuard>;
}

const FOLLOW_INTERVAL: Millis = 15 * SECOND;
/** Longer than a deployment takes, or than a replica takes to receive a new epoch. */
const FOLLOW_PATIENCE: Millis = 5 * MINUTE;
const PAGE_SIZE = 100;
/** Records that are fetched and opened at once. */
const CONCURRENT_RESOLVES = 8;

/**
 * Yields the peers that match, then their changes. A peer that is published under two epochs for a while counts once.
 * Public metadata only narrows the search at the server; the opened record decides whether a peer matches.
 */
export async function* discoverPeers(
  ports: DiscoverPorts,
  options: DiscoverOptions,
): AsyncGenerator<Discovered, void, undefined> {
  const { follow = false, intervalMs = FOLLOW_INTERVAL, signal } = options;
  const { patienceMs = FOLLOW_PATIENCE } = options;
  const { role, capability, kind, region, minScore } = options;
  const filter = { role, capability, kind, region, min_score: minScore, limit: PAGE_SIZE };
  const peers = new DiscoveredPeers(ports, options);

  let since: string | undefined;
  let cursor: string | undefined;
  do {
    const page = await ports.list({ ...filter, cursor });
    since ??= page.since;
    cursor = page.next_cursor ?? undefined;
    yield* peers.apply(page, false);
  } while (cursor !== undefined);
  if (!follow) return;
  let answeredAt = Date.now();
  while (await elapsed(intervalMs, signal)) {
    yield* peers.resolvePending();
    for (let more = true; more;) {
      const page: PointerList | null = await nullOnFailure(
        ports.list({ ...filter, since }),
        answeredAt + patienceMs,
      );
      if (page === null) break;
      answeredAt = Date.now();
      since = page.since;
      more = page.next_cursor !== null;
      yield* peers.apply(page, !more);
    }
  }
}

/** Null if the request fails before `deadline`. Rethrows after it, and at once if the mesh's signing key has changed. */
async function nullOnFailure<T>(answer: Promise<T>, deadline: Millis): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    const isForged = (error as { code?: unknown }).code === "statement_forged";
    if (Date.now() >= deadline || isForged) throw error;
    return null;
  }
}

/** True after `ms`; false if the signal aborts before. */
const elapsed = (ms: Millis, signal: AbortSignal | undefined): Promise<boolean> =>
  delayFor(ms, signal).then(
    () => true,
    () => false,
  );

/** The peers found so far, by their pointers and by their IDs. */
class DiscoveredPeers {
  readonly #ports: DiscoverPorts;
  readonly #options: DiscoverOptions;
  /** The peer and epoch of each pointer, by pointer ID. */
  readonly #byPointer = new Map<string, { readonly peerId: string; readonly epoch: number }>();
  /** The record that was yielded last, as JSON, by peer ID. */
  readonly #yielded = new Map<string, string>();
  /** Pointers whose blob or key was not available yet, by pointer ID. */
  readonly #pending = new Map<string, PointerView>();

  constructor(ports: DiscoverPorts, options: DiscoverOptions) {
    this.#ports = ports;
    this.#options = options;
  }

  /** Applies one page. `isLast`: a peer that has no pointer after this page is gone. */
  async *apply(page: PointerList, isLast: boolean): AsyncGenerator<Discovered, void, undefined> {
    const guard = await this.#ports.guard();
    yield* this.#resolveAll(page.pointers);
    for (const removal of page.removed) {
      // An unsigned removal means: the pointer exists but no longer matches. A server could hide a pointer in any case.
      if (removal.signature !== null && !(await guard.acceptRemoval(removal)).ok) continue;
      this.#byPointer.delete(removal.id);
      this.#pending.delete(removal.id);
    }
    this.#dropEndedEpochs(page.checkpoint.epochs);
    if (isLast) yield* this.#yieldGone();
  }

  /** Tries again to resolve the pointers that could not be resolved before. */
  async *resolvePending(): AsyncGenerator<Discovered, void, undefined> {
    const pointers = [...this.#pending.values()];
    this.#pending.clear();
    yield* this.#resolveAll(pointers);
  }

  #dropEndedEpochs(epochs: readonly number[]): void {
    for (const pointers of [this.#byPointer, this.#pending])
      for (const [id, { epoch }] of pointers) if (!epochs.includes(epoch)) pointers.delete(id);
  }

  async *#resolveAll(
    pointers: readonly PointerView[],
  ): AsyncGenerator<Discovered, void, undefined> {
    for (let at = 0; at < pointers.length; at += CONCURRENT_RESOLVES) {
      const batch = pointers.slice(at, at + CONCURRENT_RESOLVES);
      const records = await Promise.all(batch.map((pointer) => this.#resolve(pointer)));
      for (const [index, peer] of records.entries())
        if (peer !== null) yield* this.#yieldFound(batch[index] as PointerView, peer);
    }
  }

  async #resolve(pointer: PointerView): Promise<PeerRecord | null> {
    try {
      return await this.#ports.resolve(pointer);
    } catch (error) {
      this.#pending.set(pointer.id, pointer);
      this.#options.onIgnored?.(pointer, error);
      return null;
    }
  }

  *#yieldFound(pointer: PointerView, peer: PeerRecord): Generator<Discovered, void, undefined> {
    if (!matches(peer, this.#options)) {
      this.#byPointer.delete(pointer.id);
      return;
    }
    this.#byPointer.set(pointer.id, { peerId: peer.id, epoch: pointer.epoch });
    const json = JSON.stringify(peer);
    if (this.#yielded.get(peer.id) === json) return;
    this.#yielded.set(peer.id, json);
    yield { type: "found", peer };
  }

  *#yieldGone(): Generator<Discovered, void, undefined> {
    const present = new Set([...this.#byPointer.values()].map(({ peerId }) => peerId));
    for (const id of this.#yielded.keys()) {
      if (present.has(id)) continue;
      this.#yielded.delete(id);
      yield { type: "gone", id };
    }
  }
}

const matches = (
  peer: PeerRecord,
  { role, capability, kind, region, minScore }: DiscoverOptions,
): boolean =>
  (role === undefined || peer.role === role) &&
  (capability === undefined || peer.capabilities.includes(capability)) &&
  (kind === undefined || handlesKind(peer.kinds, kind)) &&
  (region === undefined || peer.region === region) &&
  (minScore === undefined || peer.score >= minScore);
