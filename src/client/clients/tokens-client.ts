import type { z } from "zod";
import { NewTokenView, TokenList, type Scope, type TokenView } from "../../protocol/http.ts";
import { segment, type Api } from "../http/api.ts";
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
  create(scope: Scope, label = ""): Promise<z.output<typeof NewTokenView>> {
    const request = { method: "POST", path: "v1/tokens", body: { scope, label } } as const;
    return this.#api.json(NewTokenView, request);
  }

  /** Revokes a token by its ID. */
  async revoke(id: string): Promise<void> {
    await this.#api.response({ method: "DELETE", path: `v1/tokens/${segment(id)}` });
  }
}
