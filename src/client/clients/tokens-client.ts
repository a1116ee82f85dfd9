import type { z } from "zod";
import type { NewTokenView, TokenView, Scope, TokenState } from "../../protocol/http.ts";
import { answer } from "./answers.ts";
import { segment, type Api } from "../http/api.ts";
import { listing, type Listing } from "../http/paging.ts";
import { refuseUnknownOptions, type OptionNames } from "../known-options.ts";
import { keepTasksQuery, type RevokeOptions } from "./options.ts";
import { OWNER_LIMIT_OPTIONS, ownerLimitsBody, type OwnerLimitOptions } from "./owner-limits.ts";

export interface CreateTokenOptions extends OwnerLimitOptions {
  /** After this time the token grants nothing; default: it does not expire. */
  readonly expiresSeconds?: number;
}

const CREATE_TOKEN_OPTIONS: OptionNames<CreateTokenOptions> = {
  ...OWNER_LIMIT_OPTIONS,
  expiresSeconds: "number",
};

/** Which tokens a list shows. */
export interface TokenFilter {
  readonly scope?: Scope;
  /** A part of the label, in any case. */
  readonly label?: string;
  readonly state?: TokenState;
}

const TOKEN_FILTER: OptionNames<TokenFilter> = {
  scope: "string",
  label: "string",
  state: "string",
};

/** The API tokens of a mesh. */
export class TokensClient {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** The tokens that meet the filter, the oldest first, without their secrets. Without a filter also revoked and expired ones. */
  list(filter: TokenFilter = {}): Listing<TokenView> {
    refuseUnknownOptions("tokens.list", filter, TOKEN_FILTER);
    const { scope, label, state } = filter;
    const request = { path: "v1/tokens", query: { scope, label, state } };
    return listing(this.#api, answer("TokenList"), request, ({ tokens }) => tokens);
  }

  /** Creates a token. `token` of the answer is the only copy of its secret. */
  async create(
    scope: Scope,
    label = "",
    options: CreateTokenOptions = {},
  ): Promise<z.output<typeof NewTokenView>> {
    refuseUnknownOptions("tokens.create", options, CREATE_TOKEN_OPTIONS);
    const { expiresSeconds: expires_seconds } = options;
    const body = { scope, label, expires_seconds, ...ownerLimitsBody(options) };
    return this.#api.json(answer("NewTokenView"), { method: "POST", path: "v1/tokens", body });
  }

  /** Changes the weight and the limits of a token's tasks. */
  async update(id: string, limits: OwnerLimitOptions): Promise<TokenView> {
    refuseUnknownOptions("tokens.update", limits, OWNER_LIMIT_OPTIONS);
    const path = `v1/tokens/${segment(id)}`;
    return this.#api.json(answer("TokenView"), {
      method: "PATCH",
      path,
      body: ownerLimitsBody(limits),
    });
  }

  /** Revokes a token by its ID. The tasks that were submitted with it are cancelled, unless `keepTasks` says otherwise. */
  async revoke(id: string, options: RevokeOptions = {}): Promise<void> {
    const query = keepTasksQuery("tokens.revoke", options);
    await this.#api.remove(`v1/tokens/${segment(id)}`, query);
  }
}
