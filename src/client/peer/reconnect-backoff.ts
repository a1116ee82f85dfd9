import { SECOND, type Millis } from "../../base/clock.ts";
import type { Reconnect } from "../../protocol/messages.ts";
import { failuresAfter, fullJitter } from "../backoff.ts";
import { RECONNECT_BASE, RECONNECT_CAP, RECONNECT_WAIT_MAX } from "../timings.ts";

/** How long after a break a peer's turn comes; never later than the longest wait, whatever the mesh says. */
export const turnAfter = ({ slot, per_second }: Reconnect): Millis =>
  Math.min((slot / per_second) * SECOND, RECONNECT_WAIT_MAX);

/** The pause after a session that broke, for the `failures`-th time in a row: its turn, and full jitter on top. */
export const pauseAfterBreak = (turn: Reconnect | null, failures: number, random: number): Millis =>
  Math.min(
    (turn === null ? 0 : turnAfter(turn)) + fullJitter(failures - 1, random),
    RECONNECT_WAIT_MAX,
  );

/**
 * The pause after a try that came too early: the mesh is not back yet. Those whose turns came before this one's failed as
 * well, one after another over the time since the break; spread over as long a time again they come at the same rate. Only
 * where the turn is early this grows on, up to the ordinary cap: many peers that all tried again within that cap would
 * exceed the rate.
 */
export function pauseAfterFailure(turn: Reconnect, sinceBreak: Millis, random: number): Millis {
  const longest = Math.max(RECONNECT_CAP / 2, turnAfter(turn));
  const spread = Math.max(RECONNECT_BASE, Math.min(sinceBreak, longest));
  return Math.min(Math.floor(spread * (1 + random)), RECONNECT_WAIT_MAX);
}

/** When a peer comes back: remembers its turn, when its session broke, and how often it failed since. */
export class ReconnectBackoff {
  #turn: Reconnect | null = null;
  #brokeAt: Millis | null = null;
  #failures = 0;

  /** Failures in a row, short-lived sessions included. */
  get failures(): number {
    return this.#failures;
  }

  /** The newest welcome gives the turn, or none. */
  welcomed(turn: Reconnect | null): void {
    this.#turn = turn;
  }

  /** A goodbye may give a newer one. */
  dismissed(turn: Reconnect | null): void {
    this.#turn = turn ?? this.#turn;
  }

  /** The pause before the next try, once a session that lived for `lived` is over; null when it never became one. */
  pause(lived: Millis | null, now: Millis, random: number): Millis {
    this.#failures = failuresAfter(this.#failures, lived);
    // A session that lived long enough to begin anew counts as the first failure.
    const failures = Math.max(1, this.#failures);
    if (lived !== null) this.#brokeAt = now;
    else if (this.#turn !== null && this.#brokeAt !== null)
      return pauseAfterFailure(this.#turn, Math.max(0, now - this.#brokeAt), random);
    return pauseAfterBreak(lived === null ? null : this.#turn, failures, random);
  }
}
