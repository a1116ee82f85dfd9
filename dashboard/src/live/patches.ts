/** What events say is put into a value without loading all of it, also while it is loaded. */
import { pauseBeforeChange } from "../model/pace.ts";
import type { FeedEvent } from "./event-feed.ts";

interface Patched<T> {
  readonly value: T;
  /** Whether all of what the events tell is in the value; otherwise it has to be loaded. */
  readonly isWhole: boolean;
}

export type Patch<T> = (
  value: T,
  events: readonly FeedEvent[],
  signal: AbortSignal,
) => Promise<Patched<T>>;

interface Target<T> {
  /** Null until it is loaded. */
  readonly get: () => T | null;
  readonly set: (value: T) => void;
  /** Called when the value has to be loaded. */
  readonly onUnknown: () => void;
}

/** More events at once say no more than that much has changed. */
const EVENTS_MAX = 1_000;

export class Patches<T> {
  readonly #patch: Patch<T>;
  readonly #pauseMs: number;
  readonly #target: Target<T>;
  #events: FeedEvent[] = [];
  /** What was put into the value that a load replaces; null while none runs. */
  #replaced: FeedEvent[] | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #patching: AbortController | null = null;
  #inRow = 0;
  #endedAt = 0;

  constructor(patch: Patch<T>, pauseMs: number, target: Target<T>) {
    this.#patch = patch;
    this.#pauseMs = pauseMs;
    this.#target = target;
  }

  take(event: FeedEvent): void {
    if (this.#events.length >= EVENTS_MAX) {
      this.#events = [];
      this.#target.onUnknown();
    }
    this.#events.push(event);
    this.#schedule();
  }

  /** What is loaded from now on may be older than events that come meanwhile. */
  loadBegins(): void {
    this.#replaced = [];
  }

  loadEnds(): void {
    this.#events = [...(this.#replaced ?? []), ...this.#events];
    this.#replaced = null;
    if (this.#events.length > 0) this.#schedule();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#patching?.abort();
    this.#patching = null;
    this.#events = [];
    this.#replaced = null;
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#patching !== null) return;
    const quietMs = performance.now() - this.#endedAt;
    if (quietMs > 2 * this.#pauseMs) this.#inRow = 0;
    const pause = pauseBeforeChange(0, this.#pauseMs, this.#inRow++);
    this.#timer = setTimeout(() => void this.#run(), pause);
  }

  async #run(): Promise<void> {
    this.#timer = undefined;
    const before = this.#target.get();
    // The first load has it.
    if (before === null) return;
    const patching = (this.#patching = new AbortController());
    const events = this.#events.splice(0);
    const patched = await this.#patch(before, events, patching.signal).catch(() => null);
    if (this.#patching !== patching) return;
    this.#patching = null;
    this.#endedAt = performance.now();
    if (this.#target.get() !== before) this.#events.unshift(...events);
    else {
      this.#replaced?.push(...events);
      if (patched !== null) this.#target.set(patched.value);
      if (patched?.isWhole !== true) this.#target.onUnknown();
    }
    if (this.#events.length > 0) this.#schedule();
  }
}
