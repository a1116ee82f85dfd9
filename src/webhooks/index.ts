/** Webhooks in: is a delivery signed, what task does it become, how is its secret stored. */
export { checkSecret, verifyDelivery, type SignedDelivery } from "./verify.ts";
export type { HeaderReader, Verified } from "./scheme.ts";
export { checkMapping, taskOf } from "./mapping.ts";
export { checkPayload } from "./payload.ts";
export { openSecret, sealSecret, storageKey } from "./sealed-secret.ts";
