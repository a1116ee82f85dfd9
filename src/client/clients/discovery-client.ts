import type { Bytes } from "../../base/bytes.ts";
import type { z } from "zod";
import type { DiscoveryKeys, PointerView } from "../../protocol/http.ts";
import { answer } from "./answers.ts";
import type { PeerRecord } from "../../stmf/peer-record.ts";
import type { Discovered, DiscoverOptions } from "../discovery/discovered.ts";
import {
  DiscoveryReader,
  type DiscoverOnceOptions,
  type DiscoveredPeersResult,
  type DiscoveryOptions,
} from "../discovery/discovery-reader.ts";
import { BLOB_BYTES_MAX } from "../../protocol/constants.ts";
import { segment, type Api } from "../http/api.ts";
import { listing, type Listing } from "../http/paging.ts";
import type { PrivateKey } from "../own-keys.ts";
import { refuseUnknownOptions } from "../known-options.ts";
import type { ControllerOptions } from "./options.ts";

/** Finds the peers of a mesh by their published pointers, and opens their sealed records. */
export class DiscoveryClient {
  readonly #api: Api;
  readonly #options: Required<Pick<ControllerOptions, "url" | "fetch">>;
  readonly #reader: DiscoveryReader;

  constructor(api: Api, options: Required<Pick<ControllerOptions, "url" | "fetch">>) {
    this.#api = api;
    this.#options = options;
    this.#reader = this.withReplicas();
  }

  /** The keys that find and open peer records. For tokens of scope `admin` and `controller`. */
  keys(): Promise<DiscoveryKeys> {
    return this.#api.json(answer("DiscoveryKeys"), { path: "v1/discovery/keys" });
  }

  /** The record of a peer, verified and opened; null if the peer is not published. Throws if that can't be read. */
  find(peerId: string): Promise<PeerRecord | null> {
    return this.#reader.find(peerId);
  }

  /** The record that a pointer leads to, verified and opened; throws `DiscoveryError` if it does not verify. */
  resolve(pointer: PointerView, key?: PrivateKey): Promise<PeerRecord> {
    return this.#reader.resolve(pointer, key);
  }

  /** The peers that match, once, and in `degraded` what could not be read. */
  peers(options: DiscoverOnceOptions = {}): Promise<DiscoveredPeersResult> {
    return this.#reader.peers(options);
  }

  /**
   * The peers that match; with `follow` also their changes, until the signal aborts. What can't be read is reported: as
   * `DiscoveryIncomplete`, thrown after the last peer, or with `follow` as a change `degraded`.
   */
  discover(options: DiscoverOptions = {}): AsyncGenerator<Discovered, void, undefined> {
    return this.#reader.discover(options);
  }

  /** A reader that queries these replicas in order, then the mesh itself. */
  withReplicas(
    replicas: readonly string[] = [],
    options: Pick<DiscoveryOptions, "maxAgeMs"> = {},
  ): DiscoveryReader {
    refuseUnknownOptions("discovery.withReplicas", options, { maxAgeMs: "number" });
    const { url, fetch } = this.#options;
    const keys = () => this.keys();
    return new DiscoveryReader({ ...options, url: [...replicas, url], keys, fetch });
  }

  /** Every published pointer, unverified, as the mesh lists it. */
  pointers(): Listing<z.output<typeof PointerView>> {
    return listing(
      this.#api,
      answer("PointerList"),
      { path: "v1/pointers" },
      ({ pointers }) => pointers,
    );
  }

  /** One published pointer by its ID, unverified. */
  pointer(id: string): Promise<z.output<typeof PointerView>> {
    return this.#api.json(answer("PointerView"), { path: `v1/pointers/${segment(id)}` });
  }

  /** The bytes of a sealed peer record, unopened. */
  async blob(id: string): Promise<Bytes> {
    const headers = { accept: "application/octet-stream" };
    const request = { path: `v1/blobs/${segment(id)}`, headers };
    return (await this.#api.content(request, BLOB_BYTES_MAX)).bytes;
  }
}
