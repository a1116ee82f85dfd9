import type { DenyEntry, DenyReason } from "../../protocol/http.ts";
import { answer } from "./answers.ts";
import { segment, type Api } from "../http/api.ts";
import { listing, type Listing } from "../http/paging.ts";
import { refuseUnknownOptions } from "../known-options.ts";

/** The keys that a mesh refuses in every auth mode. `peers.revoke` adds one. */
export class DenylistClient {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** Every key that is barred, the newest entry first. */
  list(filter: { readonly reason?: DenyReason } = {}): Listing<DenyEntry> {
    refuseUnknownOptions("denylist.list", filter, { reason: "string" });
    const request = { path: "v1/denylist", query: filter };
    return listing(this.#api, answer("DenyList"), request, ({ entries }) => entries);
  }

  /**
   * Lifts the revocation of a key, which is named by its peer's ID or by itself (hex). It may connect again as the auth mode and
   * its allowlist entry say. A rotated key stays barred.
   */
  async remove(idOrKey: string): Promise<void> {
    await this.#api.remove(`v1/denylist/${segment(idOrKey)}`);
  }
}
