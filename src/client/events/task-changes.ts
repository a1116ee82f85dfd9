import { EVENT_FILTER_TASKS_MAX } from "../../protocol/event-limits.ts";
import type { Api } from "../http/api.ts";
import { unlessAborted } from "../http/request-retry.ts";
import { FOLLOW_READ_INTERVAL, STREAM_REFUSED_FOR, WATCH_GATHER } from "../timings.ts";
import { followEvents } from "./follow-events.ts";

/** What a watcher does next: read its task, or wait for it by polling, because there is no stream. */
export type NextStep = "read" | "poll";

/**
 * Tells when tasks change, by one stream of events for all tasks that a controller follows. The stream is opened again, where it was, when
 * a task is added; it ends with the last one. A mesh that refuses it is polled.
 */
export class TaskChanges {
  readonly #api: Api;
  readonly #watches = new Map<string, Set<Watch>>();
  /** The tasks of the present stream; null for every task. */
  #covered: ReadonlySet<string> | null = new Set();
  #position: string | undefined;
  #stream: AbortController | null = null;
  #gathering: ReturnType<typeof setTimeout> | undefined;
  #refusedUntil = 0;

  constructor(api: Api) {
    this.#api = api;
  }

  /** Begins to watch a task. `stop` must be called. */
  watch(taskId: string): Watch {
    const watch = new Watch(
      () => this.#isRefused(),
      () => this.#stop(taskId, watch),
    );
    const same = this.#watches.get(taskId) ?? new Set();
    this.#watches.set(taskId, same.add(watch));
    // The stream may have told of a change since the caller read the task.
    if (this.#covers(taskId)) watch.wake();
    else if (!this.#isRefused()) this.#gather();
    return watch;
  }

  #isRefused(): boolean {
    if (performance.now() < this.#refusedUntil) return true;
    if (this.#stream === null && this.#gathering === undefined && this.#watches.size > 0)
      this.#gather();
    return false;
  }

  #covers(taskId: string): boolean {
    return this.#stream !== null && (this.#covered === null || this.#covered.has(taskId));
  }

  #gather(): void {
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      if (this.#watches.size > 0) void this.#follow();
    }, WATCH_GATHER);
  }

  /** Opens a stream for the tasks that are watched now, in place of the one before. */
  async #follow(): Promise<void> {
    this.#stream?.abort();
    const stream = (this.#stream = new AbortController());
    const tasks = [...this.#watches.keys()];
    const isEvery = tasks.length > EVENT_FILTER_TASKS_MAX;
    this.#covered = isEvery ? null : new Set(tasks);
    try {
      const events = followEvents(this.#api, {
        ...(isEvery ? { types: ["task."] } : { tasks }),
        ...(this.#position !== undefined && { after: this.#position }),
        signal: stream.signal,
        outageMs: Number.POSITIVE_INFINITY,
        onPosition: (id) => (this.#position = id),
        // What happened before the stream was open, or while it was broken, is read. When it can't be opened, the read tells why.
        onOpen: () => this.#changed(null),
        onBreak: () => this.#changed(null),
      });
      for await (const event of events)
        this.#changed("task" in event ? event.task : event.type === "gap" ? null : "");
    } catch {
      if (stream.signal.aborted) return;
      this.#refusedUntil = performance.now() + STREAM_REFUSED_FOR;
      this.#end();
      this.#changed(null);
    }
  }

  /** Wakes the watchers of a task; null: all of them. */
  #changed(taskId: string | null): void {
    const woken = taskId === null ? this.#watches.values() : [this.#watches.get(taskId) ?? []];
    for (const watches of woken) for (const watch of watches) watch.wake();
  }

  #stop(taskId: string, watch: Watch): void {
    const same = this.#watches.get(taskId);
    same?.delete(watch);
    if (same?.size === 0) this.#watches.delete(taskId);
    if (this.#watches.size === 0) this.#end();
  }

  #end(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    this.#stream?.abort();
    this.#stream = null;
    this.#position = undefined;
  }
}

/** One reader of a task that waits for its changes. */
export class Watch {
  readonly #isRefused: () => boolean;
  readonly stop: () => void;
  #isWoken = false;
  #waiting: (() => void) | null = null;

  constructor(isRefused: () => boolean, stop: () => void) {
    this.#isRefused = isRefused;
    this.stop = stop;
  }

  wake(): void {
    this.#isWoken = true;
    this.#waiting?.();
  }

  /** Resolves when the task may have changed since the last call; rejects with the signal's reason. */
  async next(signal: AbortSignal | undefined): Promise<NextStep> {
    if (!this.#isWoken && !this.#isRefused()) {
      const woken = new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, FOLLOW_READ_INTERVAL);
        this.#waiting = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      await unlessAborted(woken, signal).finally(() => this.#waiting?.());
      this.#waiting = null;
    }
    const step = this.#isWoken || !this.#isRefused() ? "read" : "poll";
    this.#isWoken = false;
    return step;
  }
}
