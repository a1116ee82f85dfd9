/** The events of the mesh, by one stream for the whole page. */
import { signal, type ReadonlySignal } from "@preact/signals";
import { backoffPause, equalJitter } from "../../../src/base/backoff.ts";
import { SseParser, type SseMessage } from "../../../src/base/sse-parser.ts";
import { ApiError } from "../api/api-error.ts";
import type { MeshApi } from "../api/mesh-api.ts";

/** An event. Only listeners that it is about parse its data. */
export interface FeedEvent {
  readonly type: string;
  /** The data as JSON. */
  readonly text: string;
}

/** Null: anything may have changed. */
type Listener = (event: FeedEvent | null) => void;

const FILTER = { type: "task.,peer.,circuit.,alert." };
/** The mesh sends a heartbeat every 15 s. A stream that is silent for longer is broken. */
const SILENCE_MAX_MS = 45_000;
/** A stream that ends sooner did not work: the next one waits for longer. */
const STABLE_MIN_MS = 5_000;
const BACKOFF = { initial: 1_000, max: 60_000 };

/**
 * Follows the mesh while somebody listens and the page is visible. It opens the stream again, where it was, whenever it ends. When the mesh refuses it,
 * the page is kept up to date by polling, and the stream is tried again once in a while.
 */
export class EventFeed {
  readonly #api: MeshApi;
  readonly #open = signal(false);
  readonly #listeners = new Set<Listener>();
  #position: string | null = null;
  #following: AbortController | null = null;

  constructor(api: MeshApi) {
    this.#api = api;
  }

  /** Whether every change of the mesh is told of. */
  get isOpen(): ReadonlySignal<boolean> {
    return this.#open;
  }

  /** Calls `listener` with each event until the returned function is called. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) {
      document.addEventListener("visibilitychange", this.#onVisibility);
      addEventListener("offline", this.#onOffline);
      this.#onVisibility();
    }
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      document.removeEventListener("visibilitychange", this.#onVisibility);
      removeEventListener("offline", this.#onOffline);
      this.#stop();
    };
  }

  readonly #onVisibility = (): void => {
    if (document.visibilityState !== "visible") this.#stop();
    else if (this.#following === null) void this.#follow();
  };

  /** The browser notices the loss of its network sooner than the stream does. */
  readonly #onOffline = (): void => {
    this.#stop();
    this.#tell(null);
    this.#onVisibility();
  };

  #stop(): void {
    this.#following?.abort();
    this.#following = null;
    this.#open.value = false;
  }

  async #follow(): Promise<void> {
    const following = (this.#following = new AbortController());
    const { signal: stopped } = following;
    for (let failures = 0; !stopped.aborted;) {
      const openedAt = performance.now();
      const refused = await this.#read(stopped).then(
        () => false,
        (error: unknown) => error instanceof ApiError && error.isRefusal,
      );
      if (stopped.aborted) return;
      // What changes until the next stream is open is asked for.
      if (this.#open.peek()) this.#tell(null);
      this.#open.value = false;
      failures = performance.now() - openedAt >= STABLE_MIN_MS ? 1 : failures + 1;
      await pause(refused ? BACKOFF.max : backoffPause(BACKOFF, failures), stopped);
    }
  }

  /** Reads one stream to its end. Rejects if it can't be opened. */
  async #read(stopped: AbortSignal): Promise<void> {
    const silent = new AbortController();
    const ends = AbortSignal.any([stopped, silent.signal]);
    let timer = setTimeout(() => silent.abort(), SILENCE_MAX_MS);
    try {
      const body = await this.#api.stream("/v1/events", FILTER, this.#position, ends);
      const parser = new SseParser();
      const texts = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair).getReader();
      for (;;) {
        const { done, value } = await texts.read();
        if (done || stopped.aborted) return;
        clearTimeout(timer);
        timer = setTimeout(() => silent.abort(), SILENCE_MAX_MS);
        for (const message of parser.push(value as string)) this.#take(message);
      }
    } finally {
      clearTimeout(timer);
      silent.abort();
    }
  }

  #take({ id, event, data }: SseMessage): void {
    const isFirst = this.#position === null;
    this.#position = id ?? this.#position;
    this.#open.value = true;
    // What was loaded before the first stream was open may be old. After `end` the mesh refuses the token, which a request shows.
    if (isFirst || event === "gap" || event === "end") this.#tell(null);
    else if (data !== null) this.#tell({ type: event, text: data });
  }

  #tell(event: FeedEvent | null): void {
    for (const listener of this.#listeners) listener(event);
  }
}

/** Resolves after a pause with jitter: many pages do not come back at the same moment. */
function pause(ms: number, stopped: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, equalJitter(ms, Math.random()));
    stopped.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
