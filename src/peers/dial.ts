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

/**
 * An address that the operator registered: its peer is dialed whenever it is not connected, until the address is
 * removed.
 */
export interface Dial {
  readonly id: string;
  readonly url: string;
  /** A name for people. */
  readonly name: string;
  /** The only key that is accepted there, in hex, and its ID; null until a key was given or proved. */
  readonly publicKey: string | null;
  readonly peerId: PeerId | null;
  readonly addedAt: Millis;
  readonly addedBy: string;
  readonly state: DialState;
  /** When it entered this state. */
  readonly since: Millis;
  /**
   * In `waiting`: when to dial. In `queued`: since when it is due, which orders the queue. In `dialling`: when the
   * attempt counts as failed without a report. Null in the other states.
   */
  readonly dueAt: Millis | null;
  /** Number of the newest attempt. It grows by one with each. */
  readonly attempts: number;
  /** Failures in a row. */
  readonly failures: number;
  readonly lastError: string | null;
}

/** One attempt at one address. The reports of a dialed session belong to this attempt only. */
export interface DialRef {
  readonly id: string;
  readonly attempt: number;
}

/** A public key whose private key was proved, with its peer ID. */
export interface ProvedKey {
  readonly publicKey: string;
  readonly peerId: PeerId;
}

export type DialEvent =
  /** The address is due: it is dialed as soon as a place is free. */
  | { readonly type: "due" }
  | { readonly type: "called" }
  /** The attempt led to no session. `proved` is set if the peer proved its key. */
  | { readonly type: "failed"; readonly error: string; readonly proved: ProvedKey | null }
  /** The attempt led to a session. */
  | { readonly type: "connected"; readonly proved: ProvedKey }
  /** The peer is connected by a session that it opened. */
  | { readonly type: "elsewhere" }
  /** The peer disconnected. */
  | { readonly type: "gone"; readonly reason: string }
  /** The address's key would not be admitted. */
  | { readonly type: "barred"; readonly reason: string }
  /** The operator wants the address dialed now, or changed the admission rules. */
  | { readonly type: "wanted" };

/** The registered address after an event; the same object when nothing changes. */
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
      // An attempt in flight finds out by itself: it is not admitted beside a session that the peer opened.
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
