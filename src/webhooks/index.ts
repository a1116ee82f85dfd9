/** Webhooks: verifying deliveries, mapping events to tasks, storing secrets, and signing callbacks. */
export { checkSecret, claimOf, macKeysOf, verifyDelivery } from "./verify.ts";
export type { HeaderReader } from "./scheme.ts";
export { signStandard } from "./standard-webhooks.ts";
export { challengeOf } from "./slack.ts";
export { DeliveryReader, type VerifiedDelivery } from "./delivery-reader.ts";
export { readWhole, wantedPaths } from "./event-rules.ts";
export { checkIdentity, type DeliveryIds } from "./identity.ts";
export { parsePath } from "./json-path.ts";
export type { SelectedValues } from "./selection/json-selector.ts";
export {
  callbackKey,
  isAcknowledged,
  nextAttempt,
  openCallbackSecret,
  sealCallbackSecret,
  type Answer,
  type Callback,
} from "./callback.ts";
export {
  CALLBACK_PLACES,
  isCrowded,
  takenPlaces,
  type CallbackPlace,
  type LastOwners,
  type TakenPlaces,
} from "./callback-places.ts";
export {
  afterAttempt,
  attemptTimeout,
  holdUntil,
  RECEIVER_HEALTHS,
  type Receiver,
  type ReceiverHealth,
} from "./receiver-health.ts";
export { siteOf } from "./receiver-site.ts";
export {
  neverRotated,
  rotated,
  secretOfVersion,
  signingSecrets,
  signsWithPrevious,
  type CallbackRotation,
} from "./callback-secret.ts";
export { checkMapping } from "./mapping.ts";
export { checkFilters, matchesPattern } from "./filter.ts";
export { explainEvent, judgeDelivery, verdictOf, type Verdict } from "./verdict.ts";
export {
  headersOf,
  openDelivery,
  sealDelivery,
  storedBody,
  storedValues,
  type DeliveryContent,
  type StoredEvent,
} from "./sealed-delivery.ts";
export { RecordedEvent } from "./recorded-event.ts";
export { bodyBytesMaxOf } from "./body-limit.ts";
export { refusalHeaders } from "./refusal-headers.ts";
export {
  REFUSAL_DETAIL_CHARS_MAX,
  REFUSAL_REPORT_INTERVAL,
  RefusalReports,
  type RefusalReport,
} from "./refusal-reports.ts";
export { openSecret, sealSecret, storageKey } from "./sealed-secret.ts";
