import { cursorOf, placeOfCursor } from "../../protocol/list-cursor.ts";
import { equalConstantTime, utf8 } from "../../base/bytes.ts";
import { SECOND, toRfc3339, type Millis } from "../../base/clock.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { permits } from "../../access/scope.ts";
import { newCredential } from "../../access/credential.ts";
import { API_TOKENS_MAX } from "../../protocol/constants.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { TokenView } from "../../protocol/http.ts";
import { tokenStateOf, type ApiToken, type TokenSelection } from "../../registry/api-tokens.ts";
import type { Context } from "../kernel/context.ts";
import { markWorkAvailable } from "../kernel/marks.ts";
import { badCursor } from "../kernel/paging.ts";
import { endOwner } from "../tasks/end-owner.ts";
import { changedLimits, limitsView } from "./owner-limits.ts";
import { done, notFound, type Handler } from "../kernel/handler.ts";

export const createToken: Handler<"create_token"> = (
  { registry, config, now, randomBytes },
  { label, scope, expires_seconds: seconds, ...limits },
) => {
  if (registry.apiTokens.count(now) >= API_TOKENS_MAX) {
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
    expiresAt: seconds === undefined ? null : now + Math.round(seconds * SECOND),
    hasExpired: false,
    limits: changedLimits(limits),
  };
  registry.apiTokens.insert(token);
  return ok({ ...tokenView(token, null, now), token: text });
};

export const listTokens: Handler<"list_tokens"> = (
  { registry, now },
  { limit, cursor, scope = null, label = null, state = null },
) => {
  const after = readTokenCursor(cursor);
  if (!after.ok) return after;
  const { apiTokens } = registry;
  const selection = { scope, label, state, after: after.value, limit: limit + 1 };
  const found = apiTokens.list(selection, now);
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return ok({
    tokens: page.map((token) => tokenView(token, apiTokens.lastUsedAt(token.id), now)),
    next_cursor:
      found.length > limit && last !== undefined
        ? cursorOf("tokens", `${last.createdAt}-${last.id}`)
        : null,
  });
};

function readTokenCursor(cursor: string | undefined): Result<TokenSelection["after"], MusterError> {
  if (cursor === undefined) return ok(null);
  const [, at, id] =
    /^(\d{1,15})-([0-9a-f]{16})$/.exec(placeOfCursor("tokens", cursor) ?? "") ?? [];
  return at === undefined || id === undefined ? badCursor() : ok({ createdAt: Number(at), id });
}

/** Changes the weight and the limits of a token's tasks, from now on. */
export const updateToken: Handler<"update_token"> = (context, { id, ...limits }) => {
  const { apiTokens } = context.registry;
  const token = apiTokens.get(id);
  if (token === null) return notFound("token with this ID");
  const changed = { ...token, limits: changedLimits(limits, token.limits) };
  apiTokens.setLimits(id, changed.limits);
  markWorkAvailable(context);
  return ok(tokenView(changed, apiTokens.lastUsedAt(id), context.now));
};

export const revokeToken: Handler<"revoke_token"> = (context, { id, keepTasks = false }) => {
  const { registry, now } = context;
  if (registry.apiTokens.get(id) === null) return notFound("token with this ID");
  registry.apiTokens.revoke(id, now);
  if (!keepTasks) endOwner(context, id);
  return done;
};

/** The token with this ID and hash. The caller has already checked that this mesh made it. */
export const authenticate: Handler<"authenticate"> = (context, { id, hash }) => {
  const token = valid(context, id, hash);
  if (token === null)
    return err({
      code: "unauthorized",
      detail: "this token has expired, was revoked, or does not exist",
    });
  context.registry.apiTokens.noteUse(id, context.now);
  return ok({ id: token.id, scope: token.scope, expiresAt: token.expiresAt });
};

function valid({ registry, now }: Context, id: string, hash: string): ApiToken | null {
  const token = registry.apiTokens.get(id);
  const matches = equalConstantTime(utf8(token?.hash ?? ""), utf8(hash));
  return token !== null && matches && tokenStateOf(token, now) === "active" ? token : null;
}

/** Whether such a token exists, is neither revoked nor expired, and has a scope that reads discovery. */
export const readsDiscovery = (context: Context, id: string, hash: string): boolean => {
  const token = valid(context, id, hash);
  return token !== null && permits(token.scope, "read_work");
};

const tokenView = (token: ApiToken, lastUsedAt: Millis | null, now: Millis): TokenView => ({
  id: token.id,
  label: token.label,
  scope: token.scope,
  prefix: `mst_${token.id}`,
  created_at: toRfc3339(token.createdAt),
  revoked_at: token.revokedAt === null ? null : toRfc3339(token.revokedAt),
  expires_at: token.expiresAt === null ? null : toRfc3339(token.expiresAt),
  last_used_at: lastUsedAt === null ? null : toRfc3339(lastUsedAt),
  state: tokenStateOf(token, now),
  limits: limitsView(token.limits),
});
