/** The keys by which what is no peer is placed. Each has a beginning of its own, which no peer's ID has. */

/** An idempotency key in its scope. */
export const placeOfKey = (scope: string, key: string): string =>
  `key ${JSON.stringify([scope, key])}`;

/** A concurrency key of an owner. */
export const placeOfConcurrency = (owner: string, key: string): string =>
  `concurrency ${JSON.stringify([owner, key])}`;

/** A limit that cells share. */
export const placeOfLimit = (what: string): string => `limit ${what}`;
