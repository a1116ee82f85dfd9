import { DAY, toRfc3339 } from "../../base/clock.ts";
import { equalConstantTime, utf8 } from "../../base/bytes.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { NO_OWNER_LIMITS } from "../../registry/owner-limits.ts";
import { newCredential, readCredential } from "../../access/credential.ts";
import { JOIN_KEYS_MAX } from "../../protocol/constants.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { JoinKeyView } from "../../protocol/http.ts";
import type { Allowed } from "../../registry/allowlist.ts";
import type { JoinKey } from "../../registry/join-keys.ts";
import type { AdmitInput } from "../../contract/admission.ts";
import type { Context } from "../kernel/context.ts";
import { done, notFound, type Handler } from "../kernel/handler.ts";

/** An expired key stays in the list for this long, so that the operator can see it. */
export const EXPIRED_KEY_RETENTION = 30 * DAY;

export const createJoinKey: Handler<"create_join_key"> = (
  context,
  { label, roles, uses, expires_seconds },
) => {
  const { registry, config, now, randomBytes } = context;
  if (registry.joinKeys.count(now) >= JOIN_KEYS_MAX) {
    return err({
      code: "conflict",
      detail: `there are ${JOIN_KEYS_MAX} join keys, the limit; revoke some`,
    });
  }
  const { text, id, hash } = newCredential("mjk", config.credentialKey, randomBytes);
  const key: JoinKey = {
    id,
    hash,
    label,
    roles: [...new Set(roles)],
    usesLeft: uses,
    expiresAt: now + Math.round(expires_seconds * 1_000),
    createdAt: now,
    revokedAt: null,
  };
  registry.joinKeys.insert(key);
  return ok({ ...joinKeyView(key), key: text });
};

export const listJoinKeys: Handler<"list_join_keys"> = ({ registry }) =>
  ok({ join_keys: registry.joinKeys.list().map(joinKeyView) });

export const revokeJoinKey: Handler<"revoke_join_key"> = ({ registry, now }, { id }) => {
  if (registry.joinKeys.get(id) === null) return notFound("join key with this ID");
  registry.joinKeys.revoke(id, now);
  return done;
};

/**
 * The peer's allowlist entry: the existing one, or a new one by its join key. Only a new peer uses up a join key; a
 * peer that is listed or was revoked does not. An invalid join key is refused in every mode, because its sender relies
 * on it.
 */
export function redeem(context: Context, input: AdmitInput): Result<Allowed | null, MusterError> {
  const { registry, config, now } = context;
  const listed = registry.allowlist.get(input.publicKey);
  if (listed !== null || input.joinKey === null || registry.denylist.has(input.peerId))
    return ok(listed);
  const shown = readCredential("mjk", config.credentialKey, input.joinKey);
  const key = shown === null ? null : registry.joinKeys.get(shown.id);
  if (shown === null || key === null || !equalConstantTime(utf8(shown.hash), utf8(key.hash))) {
    return err({ code: "join_key_invalid", detail: "this join key does not belong to this mesh" });
  }
  const fault = faultOf(key, now);
  if (fault !== null)
    return err({ code: "join_key_invalid", detail: `this join key ${fault}; ask for a new one` });
  registry.joinKeys.spend(key.id);
  const { publicKey, peerId } = input;
  const entry = {
    publicKey,
    peerId,
    label: key.label,
    roles: key.roles,
    goP2p: false,
    addedAt: now,
    limits: NO_OWNER_LIMITS,
  };
  registry.allowlist.put(entry);
  return ok(entry);
}

function faultOf(key: JoinKey, now: number): string | null {
  if (key.revokedAt !== null) return "was revoked";
  if (key.expiresAt <= now) return "has expired";
  return key.usesLeft <= 0 ? "is used up" : null;
}

const joinKeyView = (key: JoinKey): JoinKeyView => ({
  id: key.id,
  label: key.label,
  roles: [...key.roles],
  prefix: `mjk_${key.id}`,
  uses_left: key.usesLeft,
  expires_at: toRfc3339(key.expiresAt),
  created_at: toRfc3339(key.createdAt),
  revoked_at: key.revokedAt === null ? null : toRfc3339(key.revokedAt),
});
