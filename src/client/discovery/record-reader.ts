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
import { MusterApiError } from "../errors.ts";
import type { Fetch } from "../http/api.ts";
import { identityFrom, type PrivateKey } from "../own-keys.ts";
import { DiscoveryError } from "./discovery-error.ts";
import type { Discovered, DiscoverOptions } from "./discovered.ts";
import { discoverPeers } from "./discovery-feed.ts";
import { DiscoverySources } from "./discovery-sources.ts";

import type { KeySource } from "./key-source.ts";

export interface RecordReaderOptions {
  readonly urls: readonly string[];
  readonly keys: KeySource;
  readonly maxAge: Millis;
  readonly fetch: Fetch;
}

/** What `DiscoveryReader` does: a module of its own, because most controllers never look for peers. */
export class RecordReader {
  readonly #keySource: KeySource;
  readonly #sources: DiscoverySources;
  readonly #maxAge: Millis;
  #keys: DiscoveryKeys | null = null;
  #guard: Promise<RollbackGuard> | null = null;

  constructor({ urls, keys, maxAge, fetch }: RecordReaderOptions) {
    this.#keySource = keys;
    this.#maxAge = maxAge;
    this.#sources = new DiscoverySources(urls, () => this.#readerToken(), fetch);
  }

  /**
   * The record that a pointer leads to, once the pointer's signature and sequence, the blob, and the record's ID are
   * verified. `key` opens a pointer of an epoch whose keys this reader does not have. Throws `DiscoveryError`.
   */
  async resolve(pointer: PointerView, key?: PrivateKey): Promise<PeerRecord> {
    await this.#accept(pointer);
    return this.#recordOf(pointer, key);
  }

  async #accept(pointer: PointerView): Promise<void> {
    const guard = await this.#rollbackGuard();
    valueOrThrow(await guard.acceptPointer(pointer, Date.now()));
  }

  /** The record of a pointer that was accepted. */
  async #recordOf(pointer: PointerView, key?: PrivateKey): Promise<PeerRecord> {
    const keys =
      key === undefined
        ? await this.#keysOf(pointer.epoch)
        : { privateKey: identityFrom(key).privateKey, pointerSecret: null };
    const open = (blob: Bytes | null) => valueOrThrow(openResolved(pointer, blob, keys));
    return (await this.#sources.blob(pointer.blob_id, open)) ?? open(null);
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
    const accept = (pointer: PointerView) => this.#accept(pointer);
    for (const { epoch } of epochs.toReversed()) {
      if (asked.has(epoch)) continue;
      asked.add(epoch);
      const { pointerSecret } = await this.#keysOf(epoch);
      const id = pointerIdOf(pointerSecret, peerId);
      const pointer = await this.#withFreshKeys((check) =>
        this.#sources.pointer(id, check, accept),
      );
      if (pointer !== null) return this.#recordOf(pointer);
    }
    return null;
  }

  discover(options: DiscoverOptions): AsyncGenerator<Discovered, void, undefined> {
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
