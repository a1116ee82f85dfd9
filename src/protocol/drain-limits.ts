/** Limits of draining. Each value can change without breaking a peer. Times are milliseconds. */
import { DAY, MINUTE } from "../base/clock.ts";

/** How long the running tasks of a peer that the operator drains may take, unless the operator says otherwise. */
export const DRAIN_TIMEOUT_DEFAULT = 10 * MINUTE;
export const DRAIN_TIMEOUT_MAX = 1 * DAY;
/** Peers that one call cordons, uncordons or drains: each costs some row writes. */
export const PEERS_SCHEDULED_MAX = 500;
