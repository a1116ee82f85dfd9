import { MINUTE, SECOND, type Millis } from "../../base/clock.ts";
import type { PointerList } from "../../protocol/http.ts";
import { delayFor } from "../http/request-retry.ts";
import { DiscoveryIncomplete, type Degraded } from "./degraded.ts";
import { listFailure } from "./failures.ts";
import { DiscoveredPeers } from "./discovered-peers.ts";
import type { Discovered, DiscoverOptions, DiscoverPorts } from "./discovered.ts";

const FOLLOW_INTERVAL: Millis = 15 * SECOND;
/** Longer than a deployment takes, or than a replica takes to receive a new epoch. */
const FOLLOW_PATIENCE: Millis = 5 * MINUTE;
const PAGE_SIZE = 100;

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
  const reader = new ListReader(ports, options);
  yield* reader.listAll();
  const missing = reader.degraded(null);
  if (!follow && missing !== null) throw new DiscoveryIncomplete(reader.peers.found, missing);
  if (!follow) return;
  const report = new DegradedReport();
  yield* report.changes(missing);
  let answeredAt = ports.now();
  while (await elapsed(intervalMs, signal)) {
    let failure: unknown = null;
    try {
      yield* reader.update();
      answeredAt = ports.now();
    } catch (error) {
      // Another signing key would mean another mesh.
      const isFinal = (error as { code?: unknown }).code === "signing_key_changed";
      if (isFinal || ports.now() >= answeredAt + patienceMs) throw error;
      failure = error instanceof DiscoveryIncomplete ? error.cause : error;
    }
    yield* report.changes(reader.degraded(failure));
  }
}

/** Reads the list of pointers, and opens their records. */
class ListReader {
  readonly peers: DiscoveredPeers;
  readonly #ports: DiscoverPorts;
  readonly #filter: Readonly<Record<string, string | number | undefined>>;
  /** Whether the server narrows the list by public metadata. Then the list can't be compared with the totals. */
  #isNarrowed: boolean;
  /** The position up to which changes were read; null while the list must be read from its beginning. */
  #since: string | null = null;
  /** Pointers that the mesh lists and no source returned. */
  #withheld = 0;

  constructor(ports: DiscoverPorts, options: DiscoverOptions) {
    const { role, capability, kind, region, minScore } = options;
    this.#ports = ports;
    this.#filter = { role, capability, kind, region, min_score: minScore };
    this.#isNarrowed = Object.values(this.#filter).some((value) => value !== undefined);
    this.peers = new DiscoveredPeers(ports, options);
  }

  /**
   * Reads the whole list, from another source if one returns less than the mesh has signed. What could not be opened is tried once more,
   * after the changes that happened meanwhile: a peer that left is not missing. Throws when the first page can't be read.
   */
  async *listAll(): AsyncGenerator<Discovered, void, undefined> {
    do {
      yield* this.#listOnce();
    } while (this.#withheld > 0 && this.#ports.distrustLast());
    // What is withheld is asked for again from the beginning.
    if (this.#withheld > 0) this.#since = null;
  }

  /** Reads what has changed, and tries again to open what could not be opened. */
  async *update(): AsyncGenerator<Discovered, void, undefined> {
    if (this.#since !== null) {
      yield* this.peers.resolvePending();
      yield* this.#readChanges(this.#since);
    }
    if (this.#since === null || this.#withheld > 0) yield* this.listAll();
  }

  /** What can't be read; null when everything can. `failure` is the error of the last attempt to read the list. */
  degraded(failure: unknown): Degraded | null {
    const { failures, missing } = this.peers.unopened;
    if (failure !== null) return { missing: null, failures: [listFailure(failure), ...failures] };
    if (missing + this.#withheld === 0) return null;
    const withheld = this.#withheld > 0 ? [withheldFailure(this.#withheld)] : [];
    return { missing: missing + this.#withheld, failures: [...withheld, ...failures] };
  }

  async *#listOnce(): AsyncGenerator<Discovered, void, undefined> {
    this.#since = null;
    this.peers.beginList();
    let first: PointerList | null = null;
    let page: PointerList;
    let cursor: string | undefined;
    let showsMetadata = false;
    do {
      page = await this.#list({ cursor }, first !== null);
      first ??= page;
      cursor = page.next_cursor ?? undefined;
      showsMetadata ||= page.pointers.some(({ metadata }) => Object.keys(metadata).length > 0);
      yield* this.peers.apply(page);
    } while (cursor !== undefined);
    if (this.#isNarrowed && !showsMetadata && this.peers.listed < listedInAll(page)) {
      // Without public metadata no pointer may be left out. The same goes for the statement that none matches.
      this.#isNarrowed = false;
      yield* this.#listOnce();
      return;
    }
    const isUnsettled = page.checkpoint.seq !== first.checkpoint.seq;
    if (isUnsettled || this.peers.unopened.missing > 0) {
      yield* this.#readChanges(first.since, true);
      yield* this.peers.resolvePending();
    } else this.#settle(page);
    if (this.#withheld === 0) yield* this.peers.endList();
    this.#since ??= first.since;
  }

  async *#readChanges(
    position: string,
    isList = false,
  ): AsyncGenerator<Discovered, void, undefined> {
    let since = position;
    let page: PointerList;
    do {
      page = await this.#list({ since }, isList);
      yield* this.peers.apply(page);
      ({ since } = page);
      this.#since = since;
    } while (page.next_cursor !== null);
    this.#settle(page);
    if (!isList && this.#withheld === 0) yield* this.peers.yieldGone();
  }

  /** `page` is the last one of a list: the pointers that are known now are compared with what the mesh says is listed. */
  #settle({ totals }: PointerList): void {
    this.#withheld = this.#isNarrowed ? 0 : this.peers.withheld(totals, this.#ports.now());
  }

  /** One page. Once something was read, `isPart`, an error says that the list is incomplete. */
  async #list(position: object, isPart: boolean): Promise<PointerList> {
    const filter = this.#isNarrowed ? this.#filter : {};
    try {
      return await this.#ports.list({ ...filter, limit: PAGE_SIZE, ...position });
    } catch (error) {
      if (!isPart) throw error;
      const { failures } = this.peers.unopened;
      const degraded = { missing: null, failures: [listFailure(error), ...failures] };
      throw new DiscoveryIncomplete(this.peers.found, degraded, { cause: error });
    }
  }
}

const listedInAll = ({ totals }: PointerList): number =>
  (totals?.epochs ?? []).reduce((sum, { listed }) => sum + listed, 0);

const withheldFailure = (entries: number) => ({
  code: "list_incomplete",
  detail: "the mesh has published more peers than any source lists",
  entries,
});

/** Turns what can't be read into changes: one when it begins or changes, and one when it ends. */
class DegradedReport {
  #reported = "";

  *changes(degraded: Degraded | null): Generator<Discovered, void, undefined> {
    const state = degraded === null ? "" : stateOf(degraded);
    if (state === this.#reported) return;
    this.#reported = state;
    yield degraded === null ? { type: "recovered" } : { type: "degraded", ...degraded };
  }
}

/** Without the details, which may differ from one attempt to the next. */
const stateOf = ({ missing, failures }: Degraded): string =>
  JSON.stringify([missing, failures.map(({ code, entries }) => `${code} ${entries}`).toSorted()]);

/** True after `ms`; false if the signal aborts before. */
const elapsed = (ms: Millis, signal: AbortSignal | undefined): Promise<boolean> =>
  delayFor(ms, signal).then(
    () => true,
    () => false,
  );
