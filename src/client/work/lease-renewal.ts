import type { Millis } from "../../base/clock.ts";
import { PROGRESS_INTERVAL, RENEWALS_PER_LEASE } from "../timings.ts";

export interface Progress {
  readonly progress?: number;
  readonly message?: string;
}

const MESSAGE_CHARS_MAX = 500;

/** What a handler reported, made fit to send: a fraction of 0 to 1, a message of bounded length. */
export function progressOf(fraction?: number, message?: string): Progress {
  const known = fraction !== undefined && Number.isFinite(fraction);
  return {
    ...(known && { progress: Math.min(1, Math.max(0, fraction)) }),
    ...(message !== undefined && { message: message.slice(0, MESSAGE_CHARS_MAX) }),
  };
}

/**
 * Keeps the lease of one attempt: says something to the mesh often enough, and the handler's progress soon, but not
 * more often than the mesh wants to hear.
 */
export class Renewal {
  readonly #now: () => Millis;
  readonly #send: (progress: Progress) => void;
  #every: Millis;
  #latest: Progress = {};
  /** The first report goes out at once. */
  #sentAt: Millis = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout>;

  constructor(lease: Millis, now: () => Millis, send: (progress: Progress) => void) {
    this.#now = now;
    this.#send = send;
    this.#every = lease / RENEWALS_PER_LEASE;
    this.#timer = setTimeout(() => this.now(), this.#every);
  }

  report(progress: Progress): void {
    this.#latest = { ...this.#latest, ...progress };
    const wait = Math.min(this.#sentAt + PROGRESS_INTERVAL - this.#now(), PROGRESS_INTERVAL);
    if (wait <= 0) this.now();
    else this.#in(wait);
  }

  /** Renews at once: after a reconnect nobody knows how much of the lease is left. */
  now(): void {
    this.#sentAt = this.#now();
    this.#in(this.#every);
    this.#send(this.#latest);
  }

  /** The same work goes on under another attempt's lease. */
  lease(lease: Millis): void {
    this.#every = lease / RENEWALS_PER_LEASE;
    this.#in(this.#every);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #in(wait: Millis): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.now(), Math.min(wait, this.#every));
  }
}
