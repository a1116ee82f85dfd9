import type { DialView } from "../../protocol/http.ts";
import { answer } from "./answers.ts";
import { segment, type Api } from "../http/api.ts";
import { listing, type Listing } from "../http/paging.ts";
import { refuseUnknownOptions, type OptionNames } from "../known-options.ts";

export interface DialOptions {
  /** The public key (hex) that the peer at this URL must prove; default: the mesh accepts the first key proved there. */
  readonly publicKey?: string;
  /** A name for people. */
  readonly name?: string;
}

const DIAL_OPTIONS: OptionNames<DialOptions> = { publicKey: "string", name: "string" };

/** The addresses of listening peers, which the mesh dials. */
export class DialsClient {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** Every registered address, with the state of its connection. */
  list(): Listing<DialView> {
    return listing(this.#api, answer("DialList"), { path: "v1/dials" }, ({ dials }) => dials);
  }

  /**
   * Registers the ws:// or wss:// URL of a listening peer. The mesh dials it now, and again whenever the peer is
   * disconnected. A second call with the same URL dials at once.
   */
  async put(url: string, options: DialOptions = {}): Promise<DialView> {
    refuseUnknownOptions("dials.put", options, DIAL_OPTIONS);
    const { publicKey, name } = options;
    return this.#api.json(answer("DialView"), {
      method: "POST",
      path: "v1/peers",
      body: { url, name, public_key: publicKey },
      idempotent: true,
    });
  }

  /** Removes an address by the ID of its entry, and ends the session that was dialed from it. */
  async remove(id: string): Promise<void> {
    await this.#api.remove(`v1/dials/${segment(id)}`);
  }
}
