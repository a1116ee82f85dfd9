import { backoffPause, equalJitter } from "../base/backoff.ts";
import type { Millis, Random } from "../base/clock.ts";
import {
  DIAL_BACKOFF_INITIAL,
  DIAL_BACKOFF_MAX,
  DIAL_REPORT_TIMEOUT,
  DIAL_BACKOFF_RESET_AFTER,
} from "../protocol/constants.ts";
import type { DialState } from "../protocol/http.ts";
import type { PeerId } from "../protocol/ids.ts";

/** An address that the operator registered: as long as it stands, the peer there is dialled whenever it is away. */
export interface Dial {
  readonly id: string;
  readonly url: string;
  /** For people. */
  readonly name: string;
  /** The only key that is taken there, in hex, and its ID; null until one was given or proved. */
  readonly publicKey: string | null;
  readonly peerId: PeerId | null;
  readonly addedAt: Millis;
  readonly addedBy: string;
  readonly state: DialState;
  /** When it came into this state. */
  readonly since: Millis;
  /**
   * `waiting`: when to dial. `queued`: since when it is due, which is its place in the queue. `dialling`: when the attempt
   * has failed though nothing was heard of it. Null in the other states: nothing there waits for a time.
   */
  readonly dueAt: Millis | null;
  /** Grows by one with each attempt, which it names. */
  readonly attempts: number;
  /** In a row. */
  readonly failures: number;
  readonly lastError: string | null;
}

/** One attempt at one address: what a dialled session says about itself belongs to this attempt alone. */
export interface DialRef {
  readonly id: string;
  readonly attempt: number;
}

/** A key that somebody has proved to hold. */
export interface ProvedKey {
  readonly publicKey: string;
  readonly peerId: PeerId;
}

export type DialEvent =
  /** Its time has come: it is dialled as soon as there is a place. */
  | { readonly type: "due" }
  | { readonly type: "called" }
  /** The attempt led to no session; `proved` if it came as far as the proof. */
  | { readonly type: "failed"; readonly error: string; readonly proved: ProvedKey | null }
  /** The attempt led to a session. */
  | { readonly type: "connected"; readonly proved: ProvedKey }
  /** The peer is connected by a session of its own. */
  | { readonly type: "elsewhere" }
  /** The peer is away. */
  | { readonly type: "gone"; readonly reason: string }
  /** Its key would not be let in. */
  | { readonly type: "barred"; readonly reason: string }
  /** The operator wants it dialled now, or has changed who may come in. */
  | { readonly type: "wanted" };

/** What becomes of a registered address after an event; the same object when nothing does. */
export function afterDialEvent(dial: Dial, event: DialEvent, now: Millis, random: Random): Dial {
  const { state } = dial;
  const enter = (next: DialState, dueAt: Millis | null, change: Partial<Dial> = {}): Dial => ({
    ...dial,
    ...change,
    state: next,
    since: next === state ? dial.since : now,
    dueAt,
  });
  const wait = (failures: number, change: Partial<Dial>): Dial =>
    enter("waiting", redialAt(failures, now, random), { ...change, failures });
  switch (event.type) {
    case "due":
      return state === "waiting" ? enter("queued", dial.dueAt) : dial;
    case "called":
      return state === "queued"
        ? enter("dialling", now + DIAL_REPORT_TIMEOUT, { attempts: dial.attempts + 1 })
        : dial;
    case "failed":
      return state === "dialling"
        ? wait(dial.failures + 1, { ...event.proved, lastError: event.error })
        : dial;
    case "connected":
      return enter("connected", null, event.proved);
    case "elsewhere":
      // An attempt under way finds out by itself: it is not admitted beside a session of the peer's own.
      return state === "dialling" ? dial : enter("resting", null);
    case "gone":
      if (state === "resting") return wait(0, {});
      if (state !== "connected") return dial;
      return wait(now - dial.since >= DIAL_BACKOFF_RESET_AFTER ? 0 : dial.failures + 1, {
        lastError: event.reason,
      });
    case "barred":
      return state === "queued" ? enter("barred", null, { lastError: event.reason }) : dial;
    case "wanted":
      return state === "waiting" || state === "barred" ? enter("waiting", now) : dial;
    default:
      return event satisfies never;
  }
}

/**
 * When an address that failed `failures` times in a row is dialed again. Equal jitter, so that peers which vanished together
 * are not dialed together.
 */
export function redialAt(failures: number, now: Millis, random: Random): Millis {
  const pause = backoffPause({ initial: DIAL_BACKOFF_INITIAL, max: DIAL_BACKOFF_MAX }, failures);
  return now + equalJitter(pause, random());
}
