/** The keys by which what is no peer is placed. Each has a beginning of its own, which no peer's ID has. */

/** An idempotency key in its scope. */
export const placeOfKey = (scope: string, key: string): string =>
  `key ${JSON.stringify([scope, key])}`;

/**
 * A delivery to a webhook source. Deliveries that are told apart by time as well have the same place while their body is the same: each may
 * have to be compared with the one before.
 */
export const placeOfDelivery = (source: string, deliveryId: string): string =>
  `delivery ${JSON.stringify([source, deliveryId.replace(BUCKET, "")])}`;

/** What follows on the hash of the body, for sources whose deliveries differ by time (`webhooks/identity.ts`). */
const BUCKET = /(?<=^[0-9a-f]{64})@\d+$/;

/** A concurrency key of an owner. */
export const placeOfConcurrency = (owner: string, key: string): string =>
  `concurrency ${JSON.stringify([owner, key])}`;

/** A limit that cells share. */
export const placeOfLimit = (what: string): string => `limit ${what}`;
