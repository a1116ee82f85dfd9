import type { Millis } from "../../base/clock.ts";
import { ACCEPT_TIMEOUT } from "../../protocol/constants.ts";
import type { PayloadInput } from "../../protocol/messages.ts";
import { ACCEPT_RETRIES_MAX } from "../timings.ts";

export type AcceptMessage = PayloadInput<"task_accept">;

/** An accept that may be sent again. */
export interface SentAccept {
  readonly message: AcceptMessage;
  /** The offer lapses at this time. */
  readonly until: Millis;
  /** How often it was sent again. */
  readonly retries: number;
}

/** The accepts of the last seconds, by message ID: those whose offer has not lapsed yet. */
export class RecentAccepts {
  /** In the order of sending. */
  readonly #accepts = new Map<string, SentAccept>();

  add(messageId: string, accept: SentAccept, now: Millis): void {
    for (const [id, { until }] of this.#accepts) {
      if (until > now) break;
      this.#accepts.delete(id);
    }
    this.#accepts.set(messageId, accept);
  }

  /** The accept to send again after `delay`; null if the message was none, or it is too late, or it was sent often enough. */
  takeForRetry(messageId: string, delay: Millis, now: Millis): SentAccept | null {
    const accept = this.#accepts.get(messageId);
    if (accept === undefined) return null;
    this.#accepts.delete(messageId);
    const isUseful = accept.retries < ACCEPT_RETRIES_MAX && now + delay < accept.until;
    return isUseful ? { ...accept, retries: accept.retries + 1 } : null;
  }

  clear(): void {
    this.#accepts.clear();
  }
}

/** A first accept of an offer that came at `now`. */
export const firstAccept = (message: AcceptMessage, now: Millis): SentAccept => ({
  message,
  until: now + ACCEPT_TIMEOUT,
  retries: 0,
});
