import { SECOND, type Millis, type Random } from "../base/clock.ts";
import type { Reconnect } from "../protocol/go-p2p-messages.ts";

/** Positions in each second: fine enough that peers do not reconnect in bursts. */
const POSITIONS_PER_SECOND = 100;

/**
 * Draws when a peer may reconnect after a break: evenly within `spread`, which is the operator's choice. It does not depend on the
 * number of peers, so that no position says anything about it (decision 076).
 */
export const drawReconnectPosition = (spread: Millis, random: Random): Reconnect => ({
  slot: Math.floor(random() * (spread / SECOND) * POSITIONS_PER_SECOND),
  per_second: POSITIONS_PER_SECOND,
});
