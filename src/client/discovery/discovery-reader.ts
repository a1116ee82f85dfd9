import { fromHex, type Bytes } from "../../base/bytes.ts";
import type { Result } from "../../base/result.ts";
import { platformVerify } from "../../crypto/ed25519.ts";
import { pointerIdOf, readerToken } from "../../discovery/epoch.ts";
import {
  keysOfEpoch,
  openResolved,
  RollbackGuard,
  type DiscoveryErrorCode,
  type DiscoveryFault,
} from "../../discovery/resolver.ts";
import { verifierOf } from "../../discovery/signed.ts";
import type { DiscoveryKeys } from "../../protocol/discovery.ts";
import type { PointerList, PointerView } from "../../protocol/http.ts";
import type { PeerRecord } from "../../stmf/peer-record.ts";
import type { Fetch } from "../http/api.ts";
import { discoverFrom, type Discovered, type DiscoverOptions } from "./discovery-feed.ts";
import { DiscoverySources } from "./discovery-sources.ts";
import { MusterApiError, OptionsError } from "../errors.ts";
import { identityFrom, type PrivateKey } from "../keys.ts";

/** The keys themselves, or who hands them out: asked again when they have become too old. */
export type KeySource = DiscoveryKeys | (() => DiscoveryKeys | Promise<DiscoveryKeys>);

export interface DiscoveryOptions {
  /** The mesh, and replicas of its discovery: the next is asked when one fails, or knows less than was seen before. */
  readonly url: string | readonly string[];
  /** What a member was handed: `peer.discoveryKeys`, or `controller.discoveryKeys()`. */
  readonly keys: KeySource;
  /** Replaces the platform's `fetch`. */
  readonly fetch?: Fetch;
}

/** Peers of a mesh that match, and with `follow` what changes about them. */
export const discover = ({
  url,
  keys,
  fetch,
  ...wanted
}: DiscoveryOptions & DiscoverOptions): AsyncGenerator<Discovered, void, undefined> =>
  new DiscoveryReader({ url, keys, ...(fetch !== undefined && { fetch }) }).discover(wanted);

/** What was found does not hold. Tell errors apart by `code`. */
export class DiscoveryError extends Error {
  override readonly name = "DiscoveryError";
  readonly code: DiscoveryErrorCode;

  constructor({ code, detail }: DiscoveryFault) {
    super(detail);
    this.code = code;
  }
}

/** Finds peers and opens their records, at the mesh or at any copy of its discovery: nothing but signatures is trusted. */
export class DiscoveryReader {
  readonly #source: KeySource;
  readonly #edges: DiscoverySources;
  #keys: DiscoveryKeys | null = null;
  #trust: Promise<RollbackGuard> | null = null;

  constructor({ url, keys, fetch = globalThis.fetch.bind(globalThis) }: DiscoveryOptions) {
    this.#source = keys;
    const urls = typeof url === "string" ? [url] : url;
    if (urls.length === 0) throw new OptionsError("discovery needs the URL of a mesh or a replica");
    this.#edges = new DiscoverySources(urls, () => this.#readerToken(), fetch);
  }

  /**
   * The record that a pointer leads to: its signature and sequence hold, its blob opens, and the record's ID belongs to
   * its key and to the pointer. `key` opens a pointer whose epoch's keys are not among those at hand.
   */
  async resolve(pointer: PointerView, key?: PrivateKey): Promise<PeerRecord> {
    const trust = await this.#trusting();
    const trusted = orThrow(await trust.acceptPointer(pointer, Date.now()));
    const keys =
      key === undefined
        ? await this.#keysOf(trusted.epoch)
        : { privateKey: identityFrom(key).privateKey, pointerSecret: null };
    const blob = await this.#edges.blob(trusted.blob_id);
    return orThrow(openResolved(trusted, blob, keys));
  }

  /** The record of a peer whose ID is known; null when it is not found. */
  async find(peerId: string): Promise<PeerRecord | null> {
    const { epochs } = await this.#current();
    for (const { epoch } of epochs.toReversed()) {
      const { pointerSecret } = await this.#keysOf(epoch);
      const pointer = await this.#edges.pointer(pointerIdOf(pointerSecret, peerId));
      if (pointer !== null) return this.resolve(pointer);
    }
    return null;
  }

  /** Peers that match, and with `follow` what changes about them, until the signal is aborted. */
  discover(options: DiscoverOptions = {}): AsyncGenerator<Discovered, void, undefined> {
    return discoverFrom(
      {
        list: (query) => this.#list(query),
        resolve: (pointer) => this.resolve(pointer),
        trust: () => this.#trusting(),
      },
      options,
    );
  }

  /** One page from the first edge that is not behind what was seen. */
  async #list(query: Readonly<Record<string, string | number | undefined>>): Promise<PointerList> {
    const trust = await this.#trusting();
    const current = async (list: PointerList): Promise<void> => {
      orThrow(await trust.acceptCheckpoint(list.checkpoint));
    };
    try {
      return await this.#edges.list(query, current);
    } catch (error) {
      if (!(error instanceof MusterApiError) || error.status !== 401) throw error;
      await this.#refreshed();
      return this.#edges.list(query, current);
    }
  }

  async #trusting(): Promise<RollbackGuard> {
    this.#trust ??= this.#current().then(
      async ({ signing_key: key }) =>
        new RollbackGuard(verifierOf(fromHex(key) as Bytes, await platformVerify())),
    );
    return this.#trust;
  }

  async #current(): Promise<DiscoveryKeys> {
    this.#keys ??= await this.#ask();
    return this.#keys;
  }

  async #refreshed(): Promise<DiscoveryKeys> {
    const before = this.#keys;
    this.#keys = await this.#ask();
    // The signing key is pinned by the first keys: another one would be another mesh.
    if (before !== null && before.signing_key !== this.#keys.signing_key)
      throw new DiscoveryError({
        code: "statement_forged",
        detail: "the mesh has another key now",
      });
    return this.#keys;
  }

  #ask = async (): Promise<DiscoveryKeys> =>
    typeof this.#source === "function" ? this.#source() : this.#source;

  async #keysOf(epoch: number) {
    const keys =
      keysOfEpoch((await this.#current()).epochs, epoch) ??
      keysOfEpoch((await this.#refreshed()).epochs, epoch);
    if (keys !== null) return keys;
    throw new DiscoveryError({ code: "epoch_unknown", detail: `no keys of epoch ${epoch}` });
  }

  async #readerToken(): Promise<string> {
    const newest = (await this.#current()).epochs.at(-1);
    return newest === undefined ? "" : readerToken(fromHex(newest.pointer_secret) as Bytes);
  }
}

function orThrow<T>(result: Result<T, DiscoveryFault>): T {
  if (!result.ok) throw new DiscoveryError(result.error);
  return result.value;
}
