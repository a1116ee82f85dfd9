/** A value of the mesh that is kept up to date while somebody looks at it. */
import { signal, type ReadonlySignal } from "@preact/signals";
import { messageOf } from "../api/api-error.ts";
import {
  GATHER_MS,
  pauseAfter,
  pauseAfterFailure,
  pauseBeforeChange,
  pauseWhileTold,
} from "../model/pace.ts";
import type { EventFeed, FeedEvent } from "./event-feed.ts";
import { Patches, type Patch } from "./patches.ts";

export interface LiveState<T> {
  /** Null until it is loaded. */
  readonly value: T | null;
  /** Why the last load failed; null if it did not. */
  readonly error: string | null;
}

/** The events that tell of the changes of a value. */
export interface Told<T> {
  readonly feed: EventFeed;
  /** Whether the event is about the value. */
  readonly isAbout: (event: FeedEvent) => boolean;
  /** Whether the value also changes without events, and is asked for as often as without them. */
  readonly isMeasured?: boolean;
  /** Puts events into the value, without loading all of it. */
  readonly patch?: Patch<T>;
}

export class LiveValue<T> {
  readonly #load: (signal: AbortSignal) => Promise<T>;
  readonly #pauseMs: number;
  readonly #told: Told<T> | null;
  readonly #patches: Patches<T> | null;
  readonly #state = signal<LiveState<T>>({ value: null, error: null });
  #watchers = 0;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the timer fires, by the clock of `performance`. */
  #dueAt = Number.POSITIVE_INFINITY;
  #loading: AbortController | null = null;
  /** Whether the user changed the value while it was loaded. */
  #isStale = false;
  /** Whether something happened since the last load began that only a load can show. */
  #hasChanged = false;
  #changesInRow = 0;
  /** When the last load ended, and how long it took. */
  #endedAt = 0;
  #tookMs = 0;
  #unlisten: (() => void) | undefined;

  /** `pauseMs` is the shortest time between two loads while no events tell of changes. */
  constructor(
    load: (signal: AbortSignal) => Promise<T>,
    pauseMs: number,
    told: Told<T> | null = null,
  ) {
    this.#load = load;
    this.#pauseMs = pauseMs;
    this.#told = told;
    const target = {
      get: () => this.#state.peek().value,
      set: (value: T) => void (this.#state.value = { ...this.#state.peek(), value }),
      onUnknown: () => this.#onEvent(null),
    };
    this.#patches = told?.patch === undefined ? null : new Patches(told.patch, pauseMs, target);
  }

  get state(): ReadonlySignal<LiveState<T>> {
    return this.#state;
  }

  /** Keeps the value up to date until the returned function is called. */
  watch(): () => void {
    if (this.#watchers++ === 0) {
      document.addEventListener("visibilitychange", this.#onVisibility);
      this.#unlisten = this.#told?.feed.listen(this.#onEvent);
      this.refresh();
    }
    return () => {
      if (--this.#watchers > 0) return;
      document.removeEventListener("visibilitychange", this.#onVisibility);
      this.#unlisten?.();
      this.#patches?.stop();
      this.#unschedule();
      this.#loading?.abort();
      this.#loading = null;
    };
  }

  /** Loads the value now, or once more if it is being loaded. */
  refresh(): void {
    if (this.#watchers === 0) return;
    if (this.#loading !== null) this.#isStale = true;
    else void this.#run();
  }

  /** A tab that nobody sees asks for nothing. */
  readonly #onVisibility = (): void => {
    if (document.visibilityState === "visible") this.refresh();
    else this.#unschedule();
  };

  readonly #onEvent = (event: FeedEvent | null): void => {
    if (event !== null && this.#told?.isAbout(event) !== true) return;
    if (event !== null && this.#patches !== null) return this.#patches.take(event);
    this.#hasChanged = true;
    if (this.#loading === null) this.#schedule();
  };

  /** Sets the timer for what is due first: what happened, or the next load. */
  #schedule(): void {
    if (document.visibilityState !== "visible") return;
    const now = performance.now();
    const due = Math.max(now, Math.min(this.#loadDue(), this.#changeDue(now)));
    if (this.#timer !== undefined && this.#dueAt <= due) return;
    this.#unschedule();
    this.#dueAt = due;
    this.#timer = setTimeout(() => this.#onDue(), due - now);
  }

  #unschedule(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #loadDue(): number {
    if (this.#failures > 0) return this.#endedAt + pauseAfterFailure(this.#failures, this.#pauseMs);
    const isTold = this.#told?.isMeasured !== true && this.#told?.feed.isOpen.peek() === true;
    return this.#endedAt + (isTold ? pauseWhileTold : pauseAfter)(this.#tookMs, this.#pauseMs);
  }

  #changeDue(now: number): number {
    if (!this.#hasChanged || this.#failures > 0) return Number.POSITIVE_INFINITY;
    const pause = pauseBeforeChange(this.#tookMs, this.#pauseMs, this.#changesInRow);
    return Math.max(now + GATHER_MS, this.#endedAt + pause);
  }

  #onDue(): void {
    this.#changesInRow = this.#hasChanged ? this.#changesInRow + 1 : 0;
    void this.#run();
  }

  async #run(): Promise<void> {
    this.#unschedule();
    const loading = new AbortController();
    this.#loading = loading;
    this.#isStale = false;
    this.#hasChanged = false;
    this.#patches?.loadBegins();
    const startedAt = performance.now();
    try {
      const value = await this.#load(loading.signal);
      if (this.#loading !== loading) return;
      this.#failures = 0;
      this.#state.value = { value, error: null };
    } catch (error) {
      if (this.#loading !== loading) return;
      this.#failures++;
      this.#state.value = { ...this.#state.value, error: messageOf(error) };
    }
    this.#loading = null;
    this.#endedAt = performance.now();
    this.#tookMs = this.#endedAt - startedAt;
    this.#patches?.loadEnds();
    if (this.#isStale) return this.refresh();
    this.#schedule();
  }
}
