/** A value of the mesh that is kept up to date while somebody looks at it. */
import { signal, type ReadonlySignal } from "@preact/signals";
import { messageOf } from "../api/api-error.ts";
import { pauseAfter, pauseAfterFailure } from "../model/pace.ts";

export interface LiveState<T> {
  /** Null until it is loaded. */
  readonly value: T | null;
  /** Why the last load failed; null if it did not. */
  readonly error: string | null;
}

export class LiveValue<T> {
  readonly #load: (signal: AbortSignal) => Promise<T>;
  readonly #pauseMs: number;
  readonly #state = signal<LiveState<T>>({ value: null, error: null });
  #watchers = 0;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #loading: AbortController | null = null;
  /** Whether the value changed while it was loaded. */
  #isStale = false;

  /** `pauseMs` is the shortest time between two loads. */
  constructor(load: (signal: AbortSignal) => Promise<T>, pauseMs: number) {
    this.#load = load;
    this.#pauseMs = pauseMs;
  }

  get state(): ReadonlySignal<LiveState<T>> {
    return this.#state;
  }

  /** Keeps the value up to date until the returned function is called. */
  watch(): () => void {
    if (this.#watchers++ === 0) {
      document.addEventListener("visibilitychange", this.#onVisibility);
      this.refresh();
    }
    return () => {
      if (--this.#watchers > 0) return;
      document.removeEventListener("visibilitychange", this.#onVisibility);
      clearTimeout(this.#timer);
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
    else clearTimeout(this.#timer);
  };

  async #run(): Promise<void> {
    clearTimeout(this.#timer);
    const loading = new AbortController();
    this.#loading = loading;
    this.#isStale = false;
    const startedAt = performance.now();
    let pause: number;
    try {
      const value = await this.#load(loading.signal);
      if (this.#loading !== loading) return;
      this.#failures = 0;
      this.#state.value = { value, error: null };
      pause = pauseAfter(performance.now() - startedAt, this.#pauseMs);
    } catch (error) {
      if (this.#loading !== loading) return;
      this.#failures++;
      this.#state.value = { ...this.#state.value, error: messageOf(error) };
      pause = pauseAfterFailure(this.#failures, this.#pauseMs);
    }
    this.#loading = null;
    if (this.#isStale) return this.refresh();
    if (document.visibilityState === "visible")
      this.#timer = setTimeout(() => this.refresh(), pause);
  }
}
