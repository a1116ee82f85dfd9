import type { Millis } from "../../base/clock.ts";
import { LEASE_MAX } from "../../protocol/constants.ts";
import { PROGRESS_INTERVAL, RENEWAL_INTERVAL_MIN, RENEWALS_PER_LEASE } from "../timings.ts";

export interface Progress {
  readonly progress?: number;
  readonly message?: string;
}

const MESSAGE_CHARS_MAX = 500;

/** A handler's report within the protocol's limits: a fraction clamped to 0..1, a message cut to its maximum length. */
export function boundedProgress(fraction?: number, message?: string): Progress {
  const isNumber = fraction !== undefined && Number.isFinite(fraction);
  return {
    ...(isNumber && { progress: Math.min(1, Math.max(0, fraction)) }),
    ...(message !== undefined && { message: message.slice(0, MESSAGE_CHARS_MAX) }),
  };
}

/** How often a lease is renewed. The mesh names its length, which must not make a timer fire without a pause. */
const renewalInterval = (lease: Millis): Millis =>
  Math.max(RENEWAL_INTERVAL_MIN, Math.min(lease, LEASE_MAX) / RENEWALS_PER_LEASE);

/**
 * Renews the lease of one attempt: sends `task_progress` several times per lease, and sooner when the handler reports
 * progress, but at most once per `PROGRESS_INTERVAL`.
 */
export class LeaseRenewal {
  readonly #now: () => Millis;
  readonly #send: (progress: Progress) => void;
  #interval: Millis;
  #latest: Progress = {};
  /** Minus infinity: the first report is sent at once. */
  #sentAt: Millis = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout>;

  constructor(lease: Millis, now: () => Millis, send: (progress: Progress) => void) {
    this.#now = now;
    this.#send = send;
    this.#interval = renewalInterval(lease);
    this.#timer = setTimeout(() => this.renew(), this.#interval);
  }

  /** Sends the handler's progress, now or as soon as `PROGRESS_INTERVAL` allows. */
  report(progress: Progress): void {
    this.#latest = { ...this.#latest, ...progress };
    const delay = Math.min(this.#sentAt + PROGRESS_INTERVAL - this.#now(), PROGRESS_INTERVAL);
    if (delay <= 0) this.renew();
    else this.#schedule(delay);
  }

  /** Renews at once: after a reconnect the remaining time of the lease is unknown. */
  renew(): void {
    this.#sentAt = this.#now();
    this.#schedule(this.#interval);
    this.#send(this.#latest);
  }

  /** Sets the lease of a newer attempt that continues the same work. */
  setLease(lease: Millis): void {
    this.#interval = renewalInterval(lease);
    this.#schedule(this.#interval);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #schedule(delay: Millis): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.renew(), Math.min(delay, this.#interval));
  }
}
