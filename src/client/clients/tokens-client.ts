import type { z } from "zod";
import { NewTokenView, TokenList, TokenView, type Scope } from "../../protocol/http.ts";
import { segment, type Api } from "../http/api.ts";
import { ownerLimitsBody, type OwnerLimitOptions } from "./owner-limits.ts";
import { listing, type Listing } from "../http/paging.ts";

/** The API tokens of a mesh. */
export class TokensClient {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** Every token, revoked ones included, without its secret. */
  list(): Listing<TokenView> {
    return listing(this.#api, TokenList, { path: "v1/tokens" }, ({ tokens }) => tokens);
  }

  /** Creates a token. `token` of the answer is the only copy of its secret. */
  create(
    scope: Scope,
    label = "",
    limits: OwnerLimitOptions = {},
  ): Promise<z.output<typeof NewTokenView>> {
    const body = { scope, label, ...ownerLimitsBody(limits) };
    return this.#api.json(NewTokenView, { method: "POST", path: "v1/tokens", body });
  }

  /** Changes the weight and the limits of a token's tasks. */
  update(id: string, limits: OwnerLimitOptions): Promise<TokenView> {
    const path = `v1/tokens/${segment(id)}`;
    return this.#api.json(TokenView, { method: "PATCH", path, body: ownerLimitsBody(limits) });
  }

  /** Revokes a token by its ID. */
  async revoke(id: string): Promise<void> {
    await this.#api.response({ method: "DELETE", path: `v1/tokens/${segment(id)}` });
  }
}
