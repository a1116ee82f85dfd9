import { MINUTE, SECOND, type Millis } from "../../base/clock.ts";
import type { RollbackGuard } from "../../discovery/resolver.ts";
import type { Region } from "../../protocol/discovery.ts";
import type { PointerList, PointerView } from "../../protocol/http.ts";
import type { Role } from "../../protocol/messages.ts";
import type { PeerRecord } from "../../stmf/peer-record.ts";
import { pause } from "../http/request-retry.ts";

/** Which peers are looked for. */
export interface DiscoverOptions {
  readonly role?: Role;
  readonly capability?: string;
  readonly region?: Region;
  readonly minScore?: number;
  /** Goes on after the peers that there are, with what changes about them. */
  readonly follow?: boolean;
  /** How often changes are asked for; default 15 s. */
  readonly intervalMs?: Millis;
  /** How long following goes on although nothing can be asked; then it ends with the error. Default 5 min. */
  readonly patienceMs?: Millis;
  /** Told of what was found and does not hold, or can't be opened yet. */
  readonly onIgnored?: (pointer: PointerView, error: unknown) => void;
  readonly signal?: AbortSignal;
}

/** A peer that matches is there, or is another than it was; or one that was found no longer is. */
export type Discovered =
  | { readonly type: "found"; readonly peer: PeerRecord }
  | { readonly type: "gone"; readonly id: string };

export interface DiscoverPorts {
  readonly list: (
    query: Readonly<Record<string, string | number | undefined>>,
  ) => Promise<PointerList>;
  readonly resolve: (pointer: PointerView) => Promise<PeerRecord>;
  readonly trust: () => Promise<RollbackGuard>;
}

const FOLLOW_INTERVAL: Millis = 15 * SECOND;
/** Longer than a deploy, or a replica that has not heard of a new epoch yet. */
const FOLLOW_PATIENCE: Millis = 5 * MINUTE;
const PAGE = 100;
/** Records fetched and opened at once. */
const AT_ONCE = 8;

/**
 * What matches, then what changes. A peer may be found under two epochs for a while: it counts as one. Public metadata
 * only narrows the search at the mesh; what is in the opened record decides.
 */
export async function* discoverFrom(
  ports: DiscoverPorts,
  options: DiscoverOptions,
): AsyncGenerator<Discovered, void, undefined> {
  const { follow = false, intervalMs = FOLLOW_INTERVAL, signal } = options;
  const { patienceMs = FOLLOW_PATIENCE } = options;
  const { role, capability, region, minScore } = options;
  const filter = { role, capability, region, min_score: minScore, limit: PAGE };
  const found = new Found(ports, options);

  let since: string | undefined;
  let cursor: string | undefined;
  do {
    const page = await ports.list({ ...filter, cursor });
    since ??= page.since;
    cursor = page.next_cursor ?? undefined;
    yield* found.take(page, false);
  } while (cursor !== undefined);
  if (!follow) return;
  let askedAt = Date.now();
  while (await rested(intervalMs, signal)) {
    yield* found.retry();
    for (let more = true; more;) {
      const page: PointerList | null = await orNothing(
        ports.list({ ...filter, since }),
        askedAt + patienceMs,
      );
      if (page === null) break;
      askedAt = Date.now();
      since = page.since;
      more = page.next_cursor !== null;
      yield* found.take(page, !more);
    }
  }
}

/** Null when it can't be had just now; from `until` on, and when the mesh is no longer the one that it was, the error. */
async function orNothing<T>(answer: Promise<T>, until: Millis): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (Date.now() >= until || (error as { code?: unknown }).code === "statement_forged")
      throw error;
    return null;
  }
}

/** Waits; false when the signal ended it. */
const rested = (ms: Millis, signal: AbortSignal | undefined): Promise<boolean> =>
  pause(ms, signal).then(
    () => true,
    () => false,
  );

/** What was found so far: by pointer, and by the peer that it leads to. */
class Found {
  readonly #ports: DiscoverPorts;
  readonly #options: DiscoverOptions;
  readonly #peerOf = new Map<string, { readonly peerId: string; readonly epoch: number }>();
  readonly #told = new Map<string, string>();
  /** Pointers whose blob or key was not to be had yet. */
  readonly #pending = new Map<string, PointerView>();

  constructor(ports: DiscoverPorts, options: DiscoverOptions) {
    this.#ports = ports;
    this.#options = options;
  }

  /** One page. `complete`: nothing follows it, so who has no pointer left is gone. */
  async *take(page: PointerList, complete: boolean): AsyncGenerator<Discovered, void, undefined> {
    const trust = await this.#ports.trust();
    yield* this.#resolve(page.pointers);
    for (const removal of page.removed) {
      // Without a signature it still stands, and merely does not match: whoever says so could as well not have listed it.
      if (removal.signature !== null && !(await trust.acceptRemoval(removal)).ok) continue;
      this.#peerOf.delete(removal.id);
      this.#pending.delete(removal.id);
    }
    const { epochs } = page.checkpoint;
    for (const [id, { epoch }] of this.#peerOf)
      if (!epochs.includes(epoch)) this.#peerOf.delete(id);
    for (const [id, { epoch }] of this.#pending)
      if (!epochs.includes(epoch)) this.#pending.delete(id);
    if (complete) yield* this.#gone();
  }

  async *retry(): AsyncGenerator<Discovered, void, undefined> {
    const pointers = [...this.#pending.values()];
    this.#pending.clear();
    yield* this.#resolve(pointers);
  }

  async *#resolve(pointers: readonly PointerView[]): AsyncGenerator<Discovered, void, undefined> {
    for (let at = 0; at < pointers.length; at += AT_ONCE) {
      const batch = pointers.slice(at, at + AT_ONCE);
      const records = await Promise.all(batch.map((pointer) => this.#open(pointer)));
      for (const [index, peer] of records.entries())
        if (peer !== null) yield* this.#tell(batch[index] as PointerView, peer);
    }
  }

  async #open(pointer: PointerView): Promise<PeerRecord | null> {
    try {
      return await this.#ports.resolve(pointer);
    } catch (error) {
      this.#pending.set(pointer.id, pointer);
      this.#options.onIgnored?.(pointer, error);
      return null;
    }
  }

  *#tell(pointer: PointerView, peer: PeerRecord): Generator<Discovered, void, undefined> {
    if (!matches(peer, this.#options)) {
      this.#peerOf.delete(pointer.id);
      return;
    }
    this.#peerOf.set(pointer.id, { peerId: peer.id, epoch: pointer.epoch });
    const text = JSON.stringify(peer);
    if (this.#told.get(peer.id) === text) return;
    this.#told.set(peer.id, text);
    yield { type: "found", peer };
  }

  *#gone(): Generator<Discovered, void, undefined> {
    const here = new Set([...this.#peerOf.values()].map(({ peerId }) => peerId));
    for (const id of this.#told.keys()) {
      if (here.has(id)) continue;
      this.#told.delete(id);
      yield { type: "gone", id };
    }
  }
}

const matches = (
  peer: PeerRecord,
  { role, capability, region, minScore }: DiscoverOptions,
): boolean =>
  (role === undefined || peer.role === role) &&
  (capability === undefined || peer.capabilities.includes(capability)) &&
  (region === undefined || peer.region === region) &&
  (minScore === undefined || peer.score >= minScore);
