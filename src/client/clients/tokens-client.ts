import type { z } from "zod";
import {
  NewTokenView,
  TokenList,
  TokenView,
  type Scope,
  type TokenState,
} from "../../protocol/http.ts";
import { segment, type Api } from "../http/api.ts";
import { keepTasksQuery, type RevokeOptions } from "./options.ts";
import { ownerLimitsBody, type OwnerLimitOptions } from "./owner-limits.ts";
import { listing, type Listing } from "../http/paging.ts";

export interface CreateTokenOptions extends OwnerLimitOptions {
  /** After this time the token grants nothing; default: it does not expire. */
  readonly expiresSeconds?: number;
}

/** Which tokens a list shows. */
export interface TokenFilter {
  readonly scope?: Scope;
  /** A part of the label, in any case. */
  readonly label?: string;
  readonly state?: TokenState;
}

/** The API tokens of a mesh. */
export class TokensClient {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** The tokens that meet the filter, the oldest first, without their secrets. Without a filter also revoked and expired ones. */
  list({ scope, label, state }: TokenFilter = {}): Listing<TokenView> {
    const request = { path: "v1/tokens", query: { scope, label, state } };
    return listing(this.#api, TokenList, request, ({ tokens }) => tokens);
  }

  /** Creates a token. `token` of the answer is the only copy of its secret. */
  create(
    scope: Scope,
    label = "",
    { expiresSeconds, ...limits }: CreateTokenOptions = {},
  ): Promise<z.output<typeof NewTokenView>> {
    const body = { scope, label, expires_seconds: expiresSeconds, ...ownerLimitsBody(limits) };
    return this.#api.json(NewTokenView, { method: "POST", path: "v1/tokens", body });
  }

  /** Changes the weight and the limits of a token's tasks. */
  update(id: string, limits: OwnerLimitOptions): Promise<TokenView> {
    const path = `v1/tokens/${segment(id)}`;
    return this.#api.json(TokenView, { method: "PATCH", path, body: ownerLimitsBody(limits) });
  }

  /** Revokes a token by its ID. The tasks that were submitted with it are cancelled, unless `keepTasks` says otherwise. */
  async revoke(id: string, options: RevokeOptions = {}): Promise<void> {
    const path = `v1/tokens/${segment(id)}`;
    await this.#api.response({ method: "DELETE", path, query: keepTasksQuery(options) });
  }
}
