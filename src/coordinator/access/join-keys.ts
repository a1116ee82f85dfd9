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
import type { JoinGrant } from "../../contract/join-grant.ts";
import type { Input } from "../../contract/commands.ts";
import type { PeerId } from "../../protocol/ids.ts";
import { sendToCell } from "../cells/send-message.ts";
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
export function redeem(
  context: Context,
  input: Input<"admit">,
): Result<Allowed | null, MusterError> {
  const { registry, now } = context;
  const listed = registry.allowlist.get(input.publicKey);
  if (listed !== null || input.joinKey === null || registry.denylist.has(input.peerId))
    return ok(listed);
  const granted = grantFor(context, input, input.joinKey);
  if (!granted.ok) return granted;
  const { publicKey, peerId } = input;
  const entry = {
    publicKey,
    peerId,
    label: granted.value.label,
    roles: granted.value.roles,
    goP2p: false,
    addedAt: now,
    limits: NO_OWNER_LIMITS,
  };
  registry.allowlist.put(entry);
  return ok(entry);
}

/** What the join key grants: as cell 0 says, which counts its uses. */
function grantFor(
  context: Context,
  { peerId, redeemed }: Input<"admit">,
  joinKey: string,
): Result<JoinGrant, MusterError> {
  if (context.registry.cells.own === 0) {
    const key = usableKey(context, joinKey, null);
    if (key.ok) context.registry.joinKeys.spend(key.value.id);
    return key.ok ? ok(grantOf(key.value)) : key;
  }
  // Without an answer of cell 0 the peer was listed when it was asked for, and is not any more.
  if (redeemed === undefined) return err(ASK_AGAIN);
  if (redeemed.ok)
    sendToCell(context, 0, { type: "join_key_used", keyId: redeemed.value.keyId, peerId });
  return redeemed;
}

const ASK_AGAIN: MusterError = {
  code: "unavailable",
  detail: "the entry of this peer has just been removed; try again",
  retryAfter: 1,
};

/** In cell 0, for a peer of another one. The use is counted now: it is granted again, until the peer has its entry or the key ends. */
export const redeemJoinKey: Handler<"redeem_join_key"> = (context, { joinKey, peerId }) => {
  const { joinKeys } = context.registry;
  const key = usableKey(context, joinKey, peerId);
  if (!key.ok) return key;
  if (!joinKeys.isGranted(key.value.id, peerId)) joinKeys.grant(key.value.id, peerId);
  return ok(grantOf(key.value));
};

const grantOf = ({ id, label, roles }: JoinKey): JoinGrant => ({ keyId: id, label, roles });

/** The join key of this text, if it can be used; also if it is used up, by a peer to which a use was granted. */
function usableKey(
  { registry, config, now }: Context,
  text: string,
  peerId: PeerId | null,
): Result<JoinKey, MusterError> {
  const shown = readCredential("mjk", config.credentialKey, text);
  const key = shown === null ? null : registry.joinKeys.get(shown.id);
  if (shown === null || key === null || !equalConstantTime(utf8(shown.hash), utf8(key.hash))) {
    return err({ code: "join_key_invalid", detail: "this join key does not belong to this mesh" });
  }
  const isGranted = peerId !== null && registry.joinKeys.isGranted(key.id, peerId);
  const fault = faultOf(key, now, isGranted);
  if (fault === null) return ok(key);
  return err({ code: "join_key_invalid", detail: `this join key ${fault}; ask for a new one` });
}

function faultOf(key: JoinKey, now: number, isGranted: boolean): string | null {
  if (key.revokedAt !== null) return "was revoked";
  if (key.expiresAt <= now) return "has expired";
  return key.usesLeft <= 0 && !isGranted ? "is used up" : null;
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
