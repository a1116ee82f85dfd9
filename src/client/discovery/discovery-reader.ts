import type { Millis } from "../../base/clock.ts";
import type { PointerView } from "../../protocol/http.ts";
import type { PeerRecord } from "../../stmf/peer-record.ts";
import { OptionsError } from "../errors.ts";
import type { Fetch } from "../http/api.ts";
import type { PrivateKey } from "../own-keys.ts";
import { refuseUnknownOptions, type OptionNames } from "../known-options.ts";
import { DIRECTORY_AGE_MAX } from "../timings.ts";
import { DiscoveryIncomplete, type Degraded } from "./degraded.ts";
import { DISCOVER_OPTIONS, type Discovered, type DiscoverOptions } from "./discovered.ts";
import type { KeySource } from "./key-source.ts";
import type { RecordReader, RecordReaderOptions } from "./record-reader.ts";

export type { KeySource } from "./key-source.ts";

export interface DiscoveryOptions {
  /** URLs of the mesh and of replicas. The next one is asked if one fails, or returns older data than was read before. */
  readonly url: string | URL | readonly (string | URL)[];
  /** The keys of a member: `peer.discoveryKeys`, or `mesh.discovery.keys()`. */
  readonly keys: KeySource;
  /**
   * How long ago the mesh may have signed a list of peers, in milliseconds; default 1 h. The mesh renews what replicas serve every few
   * minutes, so an older list comes from a copy that is cut off, or from a replica that hides what changed.
   */
  readonly maxAgeMs?: Millis;
  /** Replaces the platform's `fetch`. */
  readonly fetch?: Fetch;
}

const DISCOVERY_OPTIONS: OptionNames<DiscoveryOptions> = {
  url: "urls!",
  keys: "objectOrFunction!",
  maxAgeMs: "number",
  fetch: "function",
};

const EXAMPLE = 'new DiscoveryReader({ url: "https://mesh.example", keys })';

/** The options of a search that does not follow. */
export type DiscoverOnceOptions = Omit<DiscoverOptions, "follow" | "intervalMs" | "patienceMs">;

const { follow: _, intervalMs: __, patienceMs: ___, ...DISCOVER_ONCE_OPTIONS } = DISCOVER_OPTIONS;

/** The peers that could be read, and what could not. */
export interface DiscoveredPeersResult {
  readonly peers: readonly PeerRecord[];
  /** Null when every published peer was read: then peers that are not in `peers` do not match, or do not exist. */
  readonly degraded: Degraded | null;
}

/** The peers of a mesh that match; with `follow` also their changes. Short for `DiscoveryReader.discover`. */
export function discover(
  options: DiscoveryOptions & DiscoverOptions,
): AsyncGenerator<Discovered, void, undefined> {
  const names = { ...DISCOVERY_OPTIONS, ...DISCOVER_OPTIONS };
  refuseUnknownOptions(
    "discover",
    options,
    names,
    'discover({ url: "https://mesh.example", keys })',
  );
  const { url, keys, fetch, maxAgeMs, ...filter } = options;
  const reader = new DiscoveryReader({
    url,
    keys,
    ...(fetch !== undefined && { fetch }),
    ...(maxAgeMs !== undefined && { maxAgeMs }),
  });
  return reader.discover(filter);
}

/**
 * Finds peers and opens their records, at the mesh or at any copy of its discovery. It trusts signatures only, never the
 * server that returned the data, and it refuses data that is older than what it has read before.
 */
export class DiscoveryReader {
  readonly #options: RecordReaderOptions;
  #loaded: Promise<RecordReader> | null = null;

  /** Throws an `OptionsError` if no URL is given, an option does not exist, or the greatest age is not valid. */
  constructor(options: DiscoveryOptions) {
    refuseUnknownOptions("DiscoveryReader", options, DISCOVERY_OPTIONS, EXAMPLE);
    const { url, keys, maxAgeMs = DIRECTORY_AGE_MAX } = options;
    const { fetch = globalThis.fetch.bind(globalThis) } = options;
    if (!(maxAgeMs > 0))
      throw new OptionsError("`maxAgeMs` is not a number of milliseconds above 0");
    const urls = (Array.isArray(url) ? url : [url]).map(String);
    if (urls.length === 0)
      throw new OptionsError("`url` is empty: give the URL of a mesh or a replica");
    this.#options = { urls, keys, maxAge: maxAgeMs, fetch };
  }

  /**
   * The record that a pointer leads to, once the pointer's signature and sequence, the blob, and the record's ID are
   * verified. `key` opens a pointer of an epoch whose keys this reader does not have. Throws `DiscoveryError`.
   */
  async resolve(pointer: PointerView, key?: PrivateKey): Promise<PeerRecord> {
    return (await this.#reader()).resolve(pointer, key);
  }

  /** The record of a peer by its ID; null if the peer is not published. Throws if no source can tell. */
  async find(peerId: string): Promise<PeerRecord | null> {
    return (await this.#reader()).find(peerId);
  }

  /**
   * The peers that match, once: all that could be read, and in `degraded` what could not. Throws only when not even a part of the list can
   * be read.
   */
  async peers(options: DiscoverOnceOptions = {}): Promise<DiscoveredPeersResult> {
    refuseUnknownOptions("discovery.peers", options, DISCOVER_ONCE_OPTIONS);
    const peers: PeerRecord[] = [];
    try {
      for await (const change of this.discover({ ...options, follow: false }))
        if (change.type === "found") peers.push(change.peer);
      return { peers, degraded: null };
    } catch (error) {
      if (!(error instanceof DiscoveryIncomplete)) throw error;
      return { peers: error.peers, degraded: error.degraded };
    }
  }

  /**
   * The peers that match; with `follow` also their changes, until the signal aborts. Without `follow` it throws `DiscoveryIncomplete` after
   * the last peer when some published peers could not be read; with `follow` it yields `degraded` then, and `recovered` later.
   */
  discover(options: DiscoverOptions = {}): AsyncGenerator<Discovered, void, undefined> {
    refuseUnknownOptions("discovery.discover", options, DISCOVER_OPTIONS);
    return this.#discover(options);
  }

  async *#discover(options: DiscoverOptions): AsyncGenerator<Discovered, void, undefined> {
    yield* (await this.#reader()).discover(options);
  }

  /** Most controllers never look for peers: only those that do load what that needs. */
  #reader(): Promise<RecordReader> {
    this.#loaded ??= import("./record-reader.ts").then(
      ({ RecordReader: Reader }) => new Reader(this.#options),
    );
    return this.#loaded;
  }
}
