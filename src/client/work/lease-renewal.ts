import type { Millis } from "../../base/clock.ts";
import { PROGRESS_INTERVAL, RENEWALS_PER_LEASE } from "../timings.ts";

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
    this.#interval = lease / RENEWALS_PER_LEASE;
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
    this.#interval = lease / RENEWALS_PER_LEASE;
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
