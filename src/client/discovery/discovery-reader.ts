import { fromHex, type Bytes } from "../../base/bytes.ts";
import type { Millis } from "../../base/clock.ts";
import type { Result } from "../../base/result.ts";
import { platformVerify } from "../../crypto/ed25519.ts";
import { pointerIdOf, readerToken } from "../../discovery/epoch-secrets.ts";
import {
  keysOfEpoch,
  openResolved,
  RollbackGuard,
  type DiscoveryFault,
} from "../../discovery/resolver.ts";
import { verifierOf } from "../../discovery/signed-statements.ts";
import type { DiscoveryKeys } from "../../protocol/discovery.ts";
import type { PointerList, PointerView } from "../../protocol/http.ts";
import type { PeerRecord } from "../../stmf/peer-record.ts";
import { MusterApiError, OptionsError } from "../errors.ts";
import type { Fetch } from "../http/api.ts";
import { identityFrom, type PrivateKey } from "../keys.ts";
import { refuseUnknownOptions, type OptionNames } from "../known-options.ts";
import { DIRECTORY_AGE_MAX } from "../timings.ts";
import { DiscoveryIncomplete, type Degraded } from "./degraded.ts";
import { DiscoveryError } from "./discovery-error.ts";
import { DISCOVER_OPTIONS, type Discovered, type DiscoverOptions } from "./discovered.ts";
import { discoverPeers } from "./discovery-feed.ts";
import { DiscoverySources } from "./discovery-sources.ts";

/** Discovery keys, or a function that returns them. The function is called again when an epoch's keys are missing. */
export type KeySource = DiscoveryKeys | (() => DiscoveryKeys | Promise<DiscoveryKeys>);

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
  readonly #keySource: KeySource;
  readonly #sources: DiscoverySources;
  readonly #maxAge: Millis;
  #keys: DiscoveryKeys | null = null;
  #guard: Promise<RollbackGuard> | null = null;

  /** Throws an `OptionsError` if no URL is given, an option does not exist, or the greatest age is not valid. */
  constructor(options: DiscoveryOptions) {
    refuseUnknownOptions("DiscoveryReader", options, DISCOVERY_OPTIONS, EXAMPLE);
    const { url, keys, maxAgeMs = DIRECTORY_AGE_MAX } = options;
    const { fetch = globalThis.fetch.bind(globalThis) } = options;
    if (!(maxAgeMs > 0))
      throw new OptionsError("`maxAgeMs` is not a number of milliseconds above 0");
    this.#keySource = keys;
    this.#maxAge = maxAgeMs;
    const urls = (Array.isArray(url) ? url : [url]).map(String);
    if (urls.length === 0)
      throw new OptionsError("`url` is empty: give the URL of a mesh or a replica");
    this.#sources = new DiscoverySources(urls, () => this.#readerToken(), fetch);
  }

  /**
   * The record that a pointer leads to, once the pointer's signature and sequence, the blob, and the record's ID are
   * verified. `key` opens a pointer of an epoch whose keys this reader does not have. Throws `DiscoveryError`.
   */
  async resolve(pointer: PointerView, key?: PrivateKey): Promise<PeerRecord> {
    const guard = await this.#rollbackGuard();
    const accepted = valueOrThrow(await guard.acceptPointer(pointer, Date.now()));
    const keys =
      key === undefined
        ? await this.#keysOf(accepted.epoch)
        : { privateKey: identityFrom(key).privateKey, pointerSecret: null };
    const open = (blob: Bytes | null) => valueOrThrow(openResolved(accepted, blob, keys));
    return (await this.#sources.blob(accepted.blob_id, open)) ?? open(null);
  }

  /** The record of a peer by its ID; null if the peer is not published. Throws if no source can tell. */
  async find(peerId: string): Promise<PeerRecord | null> {
    const asked = new Set<number>();
    const keys = await this.#currentKeys();
    const found = await this.#findUnder(keys, peerId, asked);
    if (found !== null) return found;
    // Without any keys no source was asked yet.
    if (asked.size === 0)
      await this.#withFreshKeys((check) => this.#sources.list({ limit: 1 }, check));
    const guard = await this.#rollbackGuard();
    if (guard.epochs.every((epoch) => asked.has(epoch))) return null;
    // It may be published under an epoch that is newer than the keys.
    const newest = await this.#findUnder(await this.#refreshKeys(), peerId, asked);
    for (const epoch of guard.epochs) if (!asked.has(epoch)) await this.#keysOf(epoch);
    return newest;
  }

  /** Looks a peer up under the epochs that were not asked before. */
  async #findUnder(
    { epochs }: DiscoveryKeys,
    peerId: string,
    asked: Set<number>,
  ): Promise<PeerRecord | null> {
    for (const { epoch } of epochs.toReversed()) {
      if (asked.has(epoch)) continue;
      asked.add(epoch);
      const { pointerSecret } = await this.#keysOf(epoch);
      const id = pointerIdOf(pointerSecret, peerId);
      const pointer = await this.#withFreshKeys((check) => this.#sources.pointer(id, check));
      if (pointer !== null) return this.resolve(pointer);
    }
    return null;
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
    return discoverPeers(
      {
        list: (query) => this.#withFreshKeys((check) => this.#sources.list(query, check)),
        distrustLast: () => this.#sources.distrustLast(),
        resolve: (pointer) => this.resolve(pointer),
        guard: () => this.#rollbackGuard(),
        now: Date.now,
      },
      options,
    );
  }

  /** Reads with a check of each list: that it is signed, and not older than what was read before or than allowed. */
  async #withFreshKeys<T>(
    read: (check: (list: PointerList) => Promise<void>) => Promise<T>,
  ): Promise<T> {
    const guard = await this.#rollbackGuard();
    const check = async (list: PointerList): Promise<void> => {
      valueOrThrow(await guard.acceptList(list, Date.now(), this.#maxAge));
    };
    try {
      return await read(check);
    } catch (error) {
      // The reader token belongs to an epoch: after a 401, try again with the newest keys.
      if (!(error instanceof MusterApiError) || error.status !== 401) throw error;
      await this.#refreshKeys();
      return read(check);
    }
  }

  async #rollbackGuard(): Promise<RollbackGuard> {
    this.#guard ??= this.#currentKeys().then(
      async ({ signing_key: key }) =>
        new RollbackGuard(verifierOf(fromHex(key) as Bytes, await platformVerify())),
    );
    return this.#guard;
  }

  async #currentKeys(): Promise<DiscoveryKeys> {
    this.#keys ??= await this.#loadKeys();
    return this.#keys;
  }

  async #refreshKeys(): Promise<DiscoveryKeys> {
    const before = this.#keys;
    this.#keys = await this.#loadKeys();
    // The first keys pin the signing key: another signing key would mean another mesh.
    if (before !== null && before.signing_key !== this.#keys.signing_key) {
      const detail = "the mesh's signing key differs from the one read first";
      throw new DiscoveryError({ code: "signing_key_changed", detail });
    }
    return this.#keys;
  }

  async #loadKeys(): Promise<DiscoveryKeys> {
    return typeof this.#keySource === "function" ? this.#keySource() : this.#keySource;
  }

  async #keysOf(epoch: number) {
    const keys =
      keysOfEpoch((await this.#currentKeys()).epochs, epoch) ??
      keysOfEpoch((await this.#refreshKeys()).epochs, epoch);
    if (keys !== null) return keys;
    throw new DiscoveryError({ code: "epoch_unknown", detail: `no keys of epoch ${epoch}` });
  }

  async #readerToken(): Promise<string> {
    const newest = (await this.#currentKeys()).epochs.at(-1);
    return newest === undefined ? "" : readerToken(fromHex(newest.pointer_secret) as Bytes);
  }
}

function valueOrThrow<T>(result: Result<T, DiscoveryFault>): T {
  if (!result.ok) throw new DiscoveryError(result.error);
  return result.value;
}
