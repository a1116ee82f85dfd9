import type { Millis } from "../../base/clock.ts";
import type { ListedTotals } from "../../protocol/discovery.ts";
import type { PointerList, PointerView } from "../../protocol/http.ts";
import { handlesKind } from "../../protocol/handled-kinds.ts";
import type { PeerRecord } from "../../stmf/peer-record.ts";
import type { DiscoveryFailure } from "./degraded.ts";
import { failuresOf } from "./failures.ts";
import type { Discovered, DiscoverOptions, DiscoverPorts } from "./discovered.ts";
import { isOutage } from "./source-failures.ts";

/** Records that are fetched and opened at once. */
const CONCURRENT_RESOLVES = 8;
/** After this many batches in a row of which no source returned a record, the others are not tried: each may take seconds. */
const FAILED_BATCHES_MAX = 3;

interface Unopened {
  readonly pointer: PointerView;
  readonly error: unknown;
}

/** The peers found so far, by their pointers and by their IDs. */
export class DiscoveredPeers {
  readonly #ports: Pick<DiscoverPorts, "resolve" | "guard">;
  readonly #options: DiscoverOptions;
  /** The epoch of every pointer that a list contained, opened or not, by pointer ID. */
  readonly #listed = new Map<string, number>();
  /** The peer and epoch of each opened pointer that matches, by pointer ID. */
  readonly #byPointer = new Map<string, { readonly peerId: string; readonly epoch: number }>();
  /** The record that was yielded last, with its JSON, by peer ID. */
  readonly #yielded = new Map<string, { readonly peer: PeerRecord; readonly json: string }>();
  /** Pointers whose record could not be opened, by pointer ID. */
  readonly #unopened = new Map<string, Unopened>();

  constructor(ports: Pick<DiscoverPorts, "resolve" | "guard">, options: DiscoverOptions) {
    this.#ports = ports;
    this.#options = options;
  }

  /** The peers that match, as they were yielded last. */
  get found(): readonly PeerRecord[] {
    return [...this.#yielded.values()].map(({ peer }) => peer);
  }

  /** How many pointers are listed. */
  get listed(): number {
    return this.#listed.size;
  }

  /** Listed pointers whose records could not be opened, and why. */
  get unopened(): { readonly missing: number; readonly failures: readonly DiscoveryFailure[] } {
    const unopened = [...this.#unopened.values()];
    return { missing: unopened.length, failures: failuresOf(unopened.map(({ error }) => error)) };
  }

  /** How many pointers fewer are known than the mesh lists. Those of an epoch that has expired are not listed any more. */
  withheld(totals: ListedTotals | undefined, now: Millis): number {
    const known = new Map<number, number>();
    for (const epoch of this.#listed.values()) known.set(epoch, (known.get(epoch) ?? 0) + 1);
    return (totals?.epochs ?? [])
      .filter(({ expires_at }) => Date.parse(expires_at) > now)
      .reduce((sum, { epoch, listed }) => sum + Math.max(0, listed - (known.get(epoch) ?? 0)), 0);
  }

  /** The list is read from its beginning. What was found before remains until `endList`. */
  beginList(): void {
    this.#listed.clear();
    this.#unopened.clear();
  }

  /** The whole list was applied: a pointer that was not in it has disappeared. */
  *endList(): Generator<Discovered, void, undefined> {
    for (const id of this.#byPointer.keys()) if (!this.#listed.has(id)) this.#byPointer.delete(id);
    yield* this.yieldGone();
  }

  /** Applies one page of pointers or changes. */
  async *apply(page: PointerList): AsyncGenerator<Discovered, void, undefined> {
    const guard = await this.#ports.guard();
    for (const { id, epoch } of page.pointers) this.#listed.set(id, epoch);
    yield* this.#resolveAll(page.pointers);
    for (const removal of page.removed) {
      // An unsigned removal means: the pointer exists but no longer matches. A server could hide a pointer in any case.
      if (removal.signature !== null && !(await guard.acceptRemoval(removal)).ok) continue;
      this.#listed.delete(removal.id);
      this.#byPointer.delete(removal.id);
      this.#unopened.delete(removal.id);
    }
    this.#dropEndedEpochs(page.checkpoint.epochs);
  }

  /** Tries again to open what could not be opened before. */
  async *resolvePending(): AsyncGenerator<Discovered, void, undefined> {
    yield* this.#resolveAll([...this.#unopened.values()].map(({ pointer }) => pointer));
  }

  /** Yields the peers that have no pointer any more. */
  *yieldGone(): Generator<Discovered, void, undefined> {
    const present = new Set([...this.#byPointer.values()].map(({ peerId }) => peerId));
    for (const id of this.#yielded.keys()) {
      if (present.has(id)) continue;
      this.#yielded.delete(id);
      yield { type: "gone", id };
    }
  }

  #dropEndedEpochs(epochs: readonly number[]): void {
    for (const [id, epoch] of this.#listed) if (!epochs.includes(epoch)) this.#listed.delete(id);
    for (const [id, { epoch }] of this.#byPointer)
      if (!epochs.includes(epoch)) this.#byPointer.delete(id);
    for (const [id, { pointer }] of this.#unopened)
      if (!epochs.includes(pointer.epoch)) this.#unopened.delete(id);
  }

  async *#resolveAll(
    pointers: readonly PointerView[],
  ): AsyncGenerator<Discovered, void, undefined> {
    let failedBatches = 0;
    let lastError: unknown = null;
    for (let at = 0; at < pointers.length; at += CONCURRENT_RESOLVES) {
      const batch = pointers.slice(at, at + CONCURRENT_RESOLVES);
      if (failedBatches >= FAILED_BATCHES_MAX) {
        for (const pointer of batch) this.#fail(pointer, lastError);
        continue;
      }
      const opened = await Promise.all(batch.map((pointer) => this.#resolve(pointer)));
      const errors = opened.flatMap((each) => ("error" in each ? [each.error] : []));
      const isOut = errors.length === batch.length && errors.every(isOutage);
      failedBatches = isOut ? failedBatches + 1 : 0;
      lastError = errors.at(-1) ?? null;
      for (const each of opened)
        if ("peer" in each) yield* this.#yieldFound(each.pointer, each.peer);
    }
  }

  async #resolve(
    pointer: PointerView,
  ): Promise<{ readonly pointer: PointerView; readonly peer: PeerRecord } | Unopened> {
    try {
      const peer = await this.#ports.resolve(pointer);
      this.#unopened.delete(pointer.id);
      return { pointer, peer };
    } catch (error) {
      this.#fail(pointer, error);
      return { pointer, error };
    }
  }

  #fail(pointer: PointerView, error: unknown): void {
    this.#unopened.set(pointer.id, { pointer, error });
    this.#options.onIgnored?.(pointer, error);
  }

  *#yieldFound(pointer: PointerView, peer: PeerRecord): Generator<Discovered, void, undefined> {
    if (!matches(peer, this.#options)) {
      this.#byPointer.delete(pointer.id);
      return;
    }
    this.#byPointer.set(pointer.id, { peerId: peer.id, epoch: pointer.epoch });
    const json = JSON.stringify(peer);
    if (this.#yielded.get(peer.id)?.json === json) return;
    this.#yielded.set(peer.id, { peer, json });
    yield { type: "found", peer };
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
