import { SECOND, toRfc3339 } from "../../base/clock.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { homeOf } from "../../cells/topology.ts";
import type { CallbackSecretInput } from "../../contract/webhooks.ts";
import {
  CALLBACK_ROTATIONS_MAX,
  CALLBACK_ROTATIONS_PER_OWNER_MAX,
} from "../../protocol/constants.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { CallbackSecretView } from "../../protocol/http.ts";
import type { Registry } from "../../registry/registry.ts";
import { isPeerOwner, ownerKeyOf, WEBHOOK_SOURCE } from "../../tasks/owner-key.ts";
import type { Task } from "../../tasks/task.ts";
import {
  neverRotated,
  rotated,
  secretOfVersion,
  signingSecrets,
  signsWithPrevious,
  type CallbackRotation,
} from "../../webhooks/index.ts";
import type { Context } from "../kernel/context.ts";
import { notFound, type Handler } from "../kernel/handler.ts";
import { callableUrl } from "./callback-registration.ts";

/** The secret that signs the callbacks of an owner's tasks to a receiver, and the one before while it signs, too. */
export const getCallbackSecret: Handler<"get_callback_secret"> = (context, input) => {
  const rotation = rotationOf(context, input);
  return rotation.ok ? ok(viewOf(context, rotation.value)) : rotation;
};

/** Replaces the secret. The one before signs for the overlap, too, so that the receiver can be given the new one meanwhile. */
export const rotateCallbackSecret: Handler<"rotate_callback_secret"> = (context, input) => {
  const { registry, now } = context;
  const before = rotationOf(context, input);
  if (!before.ok) return before;
  const full = checkRoom(registry, before.value);
  if (!full.ok) return full;
  const after = rotated(before.value, Math.round(input.overlapSeconds * SECOND), now);
  registry.callbackRotations.put(after);
  return ok(viewOf(context, after));
};

/** Ends the overlap of a rotation: only the current secret signs from now on. */
export const endPreviousCallbackSecret: Handler<"end_previous_callback_secret"> = (
  context,
  input,
) => {
  const before = rotationOf(context, input);
  if (!before.ok) return before;
  const after = { ...before.value, previousUntil: null };
  if (signsWithPrevious(before.value, context.now)) context.registry.callbackRotations.put(after);
  return ok(viewOf(context, after));
};

/** The secrets that sign the callback of a task that was given none of its own. */
export const secretsOfTask = (context: Context, task: Task, origin: string): readonly string[] =>
  secretsOf(context, ownerKeyOf(task), origin);

/** The secrets that sign what an owner sends to a receiver. */
export function secretsOf(context: Context, owner: string, origin: string): readonly string[] {
  const { registry, config, now } = context;
  const rotation = registry.callbackRotations.get(owner, origin) ?? neverRotated(owner, origin);
  return signingSecrets(config.callbackKey, rotation, now);
}

function rotationOf(
  context: Context,
  { owner, url, visibleTo }: CallbackSecretInput,
): Result<CallbackRotation, MusterError> {
  const { registry } = context;
  if (visibleTo !== null && owner !== visibleTo) {
    const detail = `owner: only an administrator may name another owner than the caller (${visibleTo}); leave it out`;
    return err({ code: "forbidden", detail });
  }
  // As it is stored with a callback: the origin of the URL that is called.
  const callable = callableUrl(context, url);
  if (!callable.ok) {
    const issues = [{ path: "url", message: callable.error }];
    return err({ code: "invalid_request", detail: `url: ${callable.error}`, issues });
  }
  if (!isOwner(registry, owner)) return notFound("owner with this ID");
  const { origin } = new URL(callable.value);
  return ok(registry.callbackRotations.get(owner, origin) ?? neverRotated(owner, origin));
}

/** Whether tasks can belong to it: the administrator, a token, a peer, a webhook source. */
const isOwner = (registry: Registry, owner: string): boolean =>
  owner === "admin" ||
  registry.apiTokens.get(owner) !== null ||
  registry.peers.get(owner) !== null ||
  isPeerOfOtherCell(registry, owner) ||
  (owner.startsWith(WEBHOOK_SOURCE) &&
    registry.webhookSources.get(owner.slice(WEBHOOK_SOURCE.length)) !== null);

/** Such a peer was asked for in its cell before the command (`cells/before-facts.ts`). */
const isPeerOfOtherCell = ({ cells }: Registry, owner: string): boolean =>
  isPeerOwner(owner) && homeOf(cells.topology, owner) !== cells.own;

/** A rotated secret is never forgotten while its owner can exist, or an old one would be valid again. */
function checkRoom(
  { callbackRotations }: Registry,
  { owner, rotatedAt }: CallbackRotation,
): Result<void, MusterError> {
  if (rotatedAt !== null) return ok(undefined);
  const isFull =
    callbackRotations.countOf(owner) >= CALLBACK_ROTATIONS_PER_OWNER_MAX ||
    callbackRotations.count() >= CALLBACK_ROTATIONS_MAX;
  if (!isFull) return ok(undefined);
  return err({
    code: "conflict",
    detail: `the secrets of ${CALLBACK_ROTATIONS_PER_OWNER_MAX} receivers of one owner, and ${CALLBACK_ROTATIONS_MAX} of all, can be rotated; give tasks for further receivers a secret of their own (callback.secret)`,
  });
}

function viewOf({ config, now }: Context, rotation: CallbackRotation): CallbackSecretView {
  const { owner, origin, version, rotatedAt, previousUntil } = rotation;
  const secretOf = (of: number): string => secretOfVersion(config.callbackKey, rotation, of);
  const hasPrevious = previousUntil !== null && signsWithPrevious(rotation, now);
  return {
    owner,
    origin,
    version,
    secret: secretOf(version),
    rotated_at: rotatedAt === null ? null : toRfc3339(rotatedAt),
    previous: hasPrevious
      ? { secret: secretOf(version - 1), ends_at: toRfc3339(previousUntil) }
      : null,
  };
}
