import { backoffPause, fullJitter } from "../../base/backoff.ts";
import { SECOND, type Millis } from "../../base/clock.ts";
import { RECONNECT_DELAY_MAX } from "../../protocol/constants.ts";
import type { Reconnect } from "../../protocol/messages.ts";
import { RECONNECT_BASE, RECONNECT_CAP, STABLE_SESSION_MIN } from "../timings.ts";

/** How long after a disconnect the peer's position in the reconnect order comes up; at most `RECONNECT_DELAY_MAX`. */
const positionDelay = ({ slot, per_second }: Reconnect): Millis =>
  Math.min((slot / per_second) * SECOND, RECONNECT_DELAY_MAX);

/** Jitter of a reconnect after `failures` failures in a row: full jitter, because many peers compete for one mesh. */
export const reconnectJitter = (failures: number, random: number): Millis =>
  fullJitter(backoffPause({ initial: RECONNECT_BASE, max: RECONNECT_CAP }, failures), random);

/** Failures in a row after a session of this length ended; null when the dial did not lead to a session. */
export const failuresAfter = (failures: number, sessionLength: Millis | null): number =>
  sessionLength !== null && sessionLength >= STABLE_SESSION_MIN ? 0 : failures + 1;

/** The delay after a session ended, the `failures`-th time in a row: the position's delay plus full jitter. */
export const delayAfterDisconnect = (
  position: Reconnect | null,
  failures: number,
  random: number,
): Millis =>
  Math.min(
    (position === null ? 0 : positionDelay(position)) + reconnectJitter(failures, random),
    RECONNECT_DELAY_MAX,
  );

/**
 * The delay after a dial that failed because the mesh is not back yet. The peers with earlier positions have failed too,
 * one after another over the time since the disconnect. Spreading each peer's next dial over that same time again keeps
 * the total rate as it was. The spread grows up to the position's delay, or to half the ordinary cap for early positions:
 * if many peers all retried within the cap, they would exceed the rate.
 */
export function delayAfterFailedDial(
  position: Reconnect,
  sinceDisconnect: Millis,
  random: number,
): Millis {
  const longest = Math.max(RECONNECT_CAP / 2, positionDelay(position));
  const spread = Math.max(RECONNECT_BASE, Math.min(sinceDisconnect, longest));
  return Math.min(Math.floor(spread * (1 + random)), RECONNECT_DELAY_MAX);
}

/**
 * Computes when a peer dials again, from the position that the mesh assigned, the time of the last disconnect, and the
 * number of failures since.
 */
export class ReconnectBackoff {
  #position: Reconnect | null = null;
  #disconnectedAt: Millis | null = null;
  #failures = 0;

  /** Failures in a row; sessions shorter than `STABLE_SESSION_MIN` count as failures. */
  get failures(): number {
    return this.#failures;
  }

  /** Sets the position that a `welcome` assigned; null if it assigned none. */
  setPosition(position: Reconnect | null): void {
    this.#position = position;
  }

  /** Sets the position that a `disconnect` assigned; null keeps the present one. */
  updatePosition(position: Reconnect | null): void {
    this.#position = position ?? this.#position;
  }

  /**
   * The delay before the next dial. `sessionLength` is how long the ended session was active; null if the dial failed.
   * `random` is in [0, 1). `isFault` is false when the mesh ended the session because it restarts: that is no failure.
   */
  nextDelay(sessionLength: Millis | null, now: Millis, random: number, isFault = true): Millis {
    this.#failures = isFault ? failuresAfter(this.#failures, sessionLength) : 0;
    // The end of a stable session resets the count to 0, and is itself the first failure.
    const failures = Math.max(1, this.#failures);
    if (sessionLength !== null) this.#disconnectedAt = now;
    else if (this.#position !== null && this.#disconnectedAt !== null) {
      const sinceDisconnect = Math.max(0, now - this.#disconnectedAt);
      return delayAfterFailedDial(this.#position, sinceDisconnect, random);
    }
    return delayAfterDisconnect(sessionLength === null ? null : this.#position, failures, random);
  }
}
