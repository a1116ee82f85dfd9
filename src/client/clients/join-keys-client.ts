import type { z } from "zod";
import {
  JoinKeyList,
  NewJoinKeyView,
  type CreateJoinKey,
  type JoinKeyView,
} from "../../protocol/http.ts";
import { segment, type Api } from "../http/api.ts";
import { listing, type Listing } from "../http/paging.ts";

/** Join keys: a peer that presents one is added to the allowlist. */
export class JoinKeysClient {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** Every join key, revoked ones included, without its secret. */
  list(): Listing<JoinKeyView> {
    return listing(this.#api, JoinKeyList, { path: "v1/join-keys" }, ({ join_keys }) => join_keys);
  }

  /** Creates a join key. The answer holds the only copy of the key, and a `muster://` link that contains it. */
  create(options: z.input<typeof CreateJoinKey> = {}): Promise<z.output<typeof NewJoinKeyView>> {
    return this.#api.json(NewJoinKeyView, { method: "POST", path: "v1/join-keys", body: options });
  }

  /** Revokes a join key by its ID. Peers that it has added stay on the allowlist. */
  async revoke(id: string): Promise<void> {
    await this.#api.response({ method: "DELETE", path: `v1/join-keys/${segment(id)}` });
  }
}
