import { equalConstantTime, utf8 } from "../../base/bytes.ts";
import { toRfc3339 } from "../../base/clock.ts";
import { err, ok } from "../../base/result.ts";
import { newCredential } from "../../access/credential.ts";
import { API_TOKENS_MAX } from "../../protocol/constants.ts";
import type { TokenView } from "../../protocol/http.ts";
import type { ApiToken } from "../../registry/api-tokens.ts";
import type { Context } from "../kernel/context.ts";
import { markWorkAvailable } from "../kernel/marks.ts";
import { changedLimits, limitsView } from "./owner-limits.ts";
import { done, notFound, type Handler } from "../kernel/handler.ts";

export const createToken: Handler<"create_token"> = (
  { registry, config, now, randomBytes },
  { label, scope, ...limits },
) => {
  if (registry.apiTokens.count() >= API_TOKENS_MAX) {
    return err({
      code: "conflict",
      detail: `there are ${API_TOKENS_MAX} tokens, the limit; revoke some`,
    });
  }
  const { text, id, hash } = newCredential("mst", config.credentialKey, randomBytes);
  const token: ApiToken = {
    id,
    hash,
    label,
    scope,
    createdAt: now,
    revokedAt: null,
    limits: changedLimits(limits),
  };
  registry.apiTokens.insert(token);
  return ok({ ...tokenView(token), token: text });
};

export const listTokens: Handler<"list_tokens"> = ({ registry }) =>
  ok({ tokens: registry.apiTokens.list().map(tokenView) });

/** Changes the weight and the limits of a token's tasks, from now on. */
export const updateToken: Handler<"update_token"> = (context, { id, ...limits }) => {
  const { apiTokens } = context.registry;
  const token = apiTokens.get(id);
  if (token === null) return notFound("token with this ID");
  const changed = { ...token, limits: changedLimits(limits, token.limits) };
  apiTokens.setLimits(id, changed.limits);
  markWorkAvailable(context);
  return ok(tokenView(changed));
};

export const revokeToken: Handler<"revoke_token"> = ({ registry, now }, { id }) => {
  if (registry.apiTokens.get(id) === null) return notFound("token with this ID");
  registry.apiTokens.revoke(id, now);
  return done;
};

/** The token with this ID and hash. The caller has already checked that this mesh made it. */
export const authenticate: Handler<"authenticate"> = (context, { id, hash }) => {
  const token = valid(context, id, hash);
  return token === null
    ? err({ code: "unauthorized", detail: "this token was revoked or does not exist" })
    : ok({ id: token.id, scope: token.scope });
};

function valid({ registry }: Context, id: string, hash: string): ApiToken | null {
  const token = registry.apiTokens.get(id);
  const matches = equalConstantTime(utf8(token?.hash ?? ""), utf8(hash));
  return token !== null && matches && token.revokedAt === null ? token : null;
}

/** Whether such a token exists and is not revoked. */
export const holds = (context: Context, id: string, hash: string): boolean =>
  valid(context, id, hash) !== null;

const tokenView = (token: ApiToken): TokenView => ({
  id: token.id,
  label: token.label,
  scope: token.scope,
  prefix: `mst_${token.id}`,
  created_at: toRfc3339(token.createdAt),
  revoked_at: token.revokedAt === null ? null : toRfc3339(token.revokedAt),
  limits: limitsView(token.limits),
});
