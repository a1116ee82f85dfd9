import { SECOND, type Millis } from "../base/clock.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { ApiError } from "../protocol/errors.ts";
import type { DeliveryIdentity, SignatureHeader, WebhookScheme } from "../protocol/http.ts";
import { parsePath, type JsonPath } from "./json-path.ts";
import type { SelectedValues } from "./selection/json-selector.ts";

/** What a verified signature covers. */
export interface SignedMaterial {
  /** The ID that the scheme signs beside the body; null if it signs none. */
  readonly id: string | null;
  /** SHA-256 of the body, in hex. */
  readonly bodyHash: string;
}

/** What tells a delivery from others: the same ID is the same task. */
export interface DeliveryIds {
  readonly deliveryId: string;
  /**
   * The ID of the same body in the bucket before, if that has only just ended: a task that was created under it since then is
   * this delivery's, too. Else a repetition across the end of a bucket would be a second task.
   */
  readonly earlier: { readonly deliveryId: string; readonly since: Millis } | null;
}

interface IdentityRules {
  readonly scheme: WebhookScheme;
  readonly signature?: SignatureHeader | null | undefined;
  readonly identity: DeliveryIdentity | null;
}

/** How long after the end of a bucket its deliveries still count: a quarter of it. */
const OVERLAP = 0.25;
const ID_CHARS_MAX = 256;

/** Stripe's own events have an ID, and a repetition of one may differ in other members (`pending_webhooks`). */
const STRIPE_EVENT = path("$.object");
const STRIPE_ID = path("$.id");
const STRIPE_OBJECTS: readonly unknown[] = ["event", "v2.core.event"];

/** Whether the deliveries are Stripe's own: other senders of this form name another header, and their `id` may not be an event's. */
const isStripe = ({ scheme, signature, identity }: IdentityRules): boolean =>
  scheme === "stripe" && !signature && identity === null;

export function identityPaths(rules: IdentityRules): readonly JsonPath[] {
  if (isStripe(rules)) return [STRIPE_EVENT, STRIPE_ID];
  return rules.identity?.path === undefined ? [] : [path(rules.identity.path)];
}

/** The IDs by the hash of the body: those of a delivery that needs no other, because it makes no task. */
export const idsOfBody = ({ id, bodyHash }: SignedMaterial): DeliveryIds => ({
  deliveryId: id ?? bodyHash,
  earlier: null,
});

/**
 * The IDs of a delivery, made from what is signed only. An ID from the body has a prefix, so that it never equals another kind
 * of ID.
 */
export function idsOf(
  rules: IdentityRules,
  signed: SignedMaterial,
  event: SelectedValues,
  now: Millis,
): Result<DeliveryIds, ApiError> {
  const { identity } = rules;
  if (signed.id !== null) return ok(idsOfBody(signed));
  if (identity?.bucket_seconds !== undefined)
    return ok(bucketIds(signed.bodyHash, identity.bucket_seconds * SECOND, now));
  if (identity?.path !== undefined) {
    const id = textAt(event, path(identity.path));
    if (id !== null) return ok({ deliveryId: `id:${id}`, earlier: null });
    const detail = `identity: ${identity.path} selects no text or number of 1 to ${ID_CHARS_MAX} characters in this event`;
    return err({ code: "event_unmapped", detail });
  }
  const isEvent = isStripe(rules) && STRIPE_OBJECTS.includes(textAt(event, STRIPE_EVENT));
  const id = isEvent ? textAt(event, STRIPE_ID) : null;
  return ok(id === null ? idsOfBody(signed) : { deliveryId: `id:${id}`, earlier: null });
}

function bucketIds(bodyHash: string, length: Millis, now: Millis): DeliveryIds {
  const bucket = Math.floor(now / length);
  const idIn = (at: number): string => `${bodyHash}@${at}`;
  const overlap = length * OVERLAP;
  const hasJustBegun = now - bucket * length < overlap;
  return {
    deliveryId: idIn(bucket),
    earlier: hasJustBegun ? { deliveryId: idIn(bucket - 1), since: now - overlap } : null,
  };
}

/** A text, or a number as it was sent; null for anything else, and if it is too long. */
function textAt(event: SelectedValues, at: JsonPath): string | null {
  const selected = event.find(at, "compared");
  if (!selected) return null;
  const value: unknown = JSON.parse(selected.text);
  const text = typeof value === "number" ? selected.text : value;
  return typeof text === "string" && text !== "" && text.length <= ID_CHARS_MAX ? text : null;
}

/** A path that was checked when its source was registered. */
function path(text: string): JsonPath {
  const parsed = parsePath(text);
  return parsed.ok ? parsed.value : { text, segments: [""] };
}

/** Checks that the path of an identity is one, when its source is registered. */
export function checkIdentity(identity: DeliveryIdentity | null): Result<void, ApiError> {
  const parsed = identity?.path === undefined ? null : parsePath(identity.path);
  if (parsed === null || parsed.ok) return ok(undefined);
  const issue = { path: "identity.path", message: parsed.error };
  return err({
    code: "invalid_request",
    detail: `${issue.path}: ${issue.message}`,
    issues: [issue],
  });
}
