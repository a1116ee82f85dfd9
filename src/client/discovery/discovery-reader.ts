import { fromHex, type Bytes } from "../../base/bytes.ts";
import type { Result } from "../../base/result.ts";
import { platformVerify } from "../../crypto/ed25519.ts";
import { pointerIdOf, readerToken } from "../../discovery/epoch-secrets.ts";
import {
  keysOfEpoch,
  openResolved,
  RollbackGuard,
  type DiscoveryErrorCode,
  type DiscoveryFault,
} from "../../discovery/resolver.ts";
import { verifierOf } from "../../discovery/signed-statements.ts";
import type { DiscoveryKeys } from "../../protocol/discovery.ts";
import type { PointerList, PointerView } from "../../protocol/http.ts";
import type { PeerRecord } from "../../stmf/peer-record.ts";
import { MusterApiError, OptionsError } from "../errors.ts";
import type { Fetch } from "../http/api.ts";
import { identityFrom, type PrivateKey } from "../keys.ts";
import { discoverPeers, type Discovered, type DiscoverOptions } from "./discovery-feed.ts";
import { DiscoverySources } from "./discovery-sources.ts";

/** Discovery keys, or a function that returns them. The function is called again when an epoch's keys are missing. */
export type KeySource = DiscoveryKeys | (() => DiscoveryKeys | Promise<DiscoveryKeys>);

export interface DiscoveryOptions {
  /** URLs of the mesh and of replicas. The next one is asked if one fails, or returns older data than was read before. */
  readonly url: string | readonly string[];
  /** The keys of a member: `peer.discoveryKeys`, or `mesh.discovery.keys()`. */
  readonly keys: KeySource;
  /** Replaces the platform's `fetch`. */
  readonly fetch?: Fetch;
}

/** The peers of a mesh that match; with `follow` also their changes. Short for `DiscoveryReader.discover`. */
export const discover = ({
  url,
  keys,
  fetch,
  ...filter
}: DiscoveryOptions & DiscoverOptions): AsyncGenerator<Discovered, void, undefined> =>
  new DiscoveryReader({ url, keys, ...(fetch !== undefined && { fetch }) }).discover(filter);

/** A pointer, record or checkpoint did not verify. Distinguish the errors by `code`. */
export class DiscoveryError extends Error {
  override readonly name = "DiscoveryError";
  readonly code: DiscoveryErrorCode;

  constructor({ code, detail }: DiscoveryFault) {
    super(detail);
    this.code = code;
  }
}

/**
 * Finds peers and opens their records, at the mesh or at any copy of its discovery. It trusts signatures only, never the
 * server that returned the data, and it refuses data that is older than what it has read before.
 */
export class DiscoveryReader {
  readonly #keySource: KeySource;
  readonly #sources: DiscoverySources;
  #keys: DiscoveryKeys | null = null;
  #guard: Promise<RollbackGuard> | null = null;

  /** Throws an `OptionsError` if no URL is given. */
  constructor({ url, keys, fetch = globalThis.fetch.bind(globalThis) }: DiscoveryOptions) {
    this.#keySource = keys;
    const urls = typeof url === "string" ? [url] : url;
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
    const blob = await this.#sources.blob(accepted.blob_id);
    return valueOrThrow(openResolved(accepted, blob, keys));
  }

  /** The record of a peer by its ID; null if the peer is not published. */
  async find(peerId: string): Promise<PeerRecord | null> {
    const { epochs } = await this.#currentKeys();
    for (const { epoch } of epochs.toReversed()) {
      const { pointerSecret } = await this.#keysOf(epoch);
      const pointer = await this.#sources.pointer(pointerIdOf(pointerSecret, peerId));
      if (pointer !== null) return this.resolve(pointer);
    }
    return null;
  }

  /** The peers that match; with `follow` also their changes, until the signal aborts. */
  discover(options: DiscoverOptions = {}): AsyncGenerator<Discovered, void, undefined> {
    return discoverPeers(
      {
        list: (query) => this.#list(query),
        resolve: (pointer) => this.resolve(pointer),
        guard: () => this.#rollbackGuard(),
      },
      options,
    );
  }

  /** One page from the first source whose checkpoint is not older than what was read before. */
  async #list(query: Readonly<Record<string, string | number | undefined>>): Promise<PointerList> {
    const guard = await this.#rollbackGuard();
    const check = async (list: PointerList): Promise<void> => {
      valueOrThrow(await guard.acceptCheckpoint(list.checkpoint));
    };
    try {
      return await this.#sources.list(query, check);
    } catch (error) {
      // The reader token belongs to an epoch: after a 401, try again with the newest keys.
      if (!(error instanceof MusterApiError) || error.status !== 401) throw error;
      await this.#refreshKeys();
      return this.#sources.list(query, check);
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
      throw new DiscoveryError({ code: "statement_forged", detail });
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
