import { backoffPause, quarterJitter } from "../../base/backoff.ts";
import type { Millis } from "../../base/clock.ts";
import type { ConnectionEnd } from "../connection/connection.ts";
import { KEY_IN_USE_BASE, KEY_IN_USE_CAP, STABLE_SESSION_MIN } from "../timings.ts";

/** How the close reason begins by which the mesh refuses a peer whose key another process uses. */
const REFUSED = "key_in_use:";

/**
 * Notices that another process uses the same key: the mesh says so, or a session of this peer was superseded soon after it
 * began. The peer then tries again after a growing pause, instead of ending the other's session in turn.
 */
export class KeyInUse {
  #times = 0;

  /**
   * The pause after the end of a connection if another process uses the key; null otherwise. `sessionLength`: how long the
   * session was active; null if there was none. `asked`: the pause that the mesh has asked for, or 0.
   */
  pauseAfter(
    end: ConnectionEnd,
    sessionLength: Millis | null,
    random: number,
    asked: Millis,
  ): Millis | null {
    if (!isKeyInUse(end, sessionLength)) {
      if (sessionLength !== null && sessionLength >= STABLE_SESSION_MIN) this.#times = 0;
      return null;
    }
    const pause = backoffPause({ initial: KEY_IN_USE_BASE, max: KEY_IN_USE_CAP }, ++this.#times);
    return Math.max(asked, quarterJitter(pause, random));
  }
}

function isKeyInUse(end: ConnectionEnd, sessionLength: Millis | null): boolean {
  if (end.kind === "dropped") return end.reason.startsWith(REFUSED);
  if (end.kind !== "refused" || end.error.code !== "superseded") return false;
  return sessionLength !== null && sessionLength < STABLE_SESSION_MIN;
}
