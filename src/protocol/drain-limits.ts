/** Limits of draining. Each value can change without breaking a peer. Times are milliseconds. */
import { DAY, MINUTE, SECOND } from "../base/clock.ts";

/** How long the running tasks of a peer that the operator drains may take, unless the operator says otherwise. */
export const DRAIN_TIMEOUT_DEFAULT = 10 * MINUTE;
export const DRAIN_TIMEOUT_MAX = 1 * DAY;
/** How long a drained peer that holds nothing may take to receive the confirmation of its last results, and to leave by itself. */
export const DRAIN_LEAVE_TIME = 5 * SECOND;
/** Peers that one call cordons, uncordons or drains: each costs some row writes. */
export const PEERS_SCHEDULED_MAX = 500;
/** How long peers can be told to wait when the mesh restarts. */
export const RESTART_PAUSE_MAX = 5 * MINUTE;
