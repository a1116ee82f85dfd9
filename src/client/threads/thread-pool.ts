import type { Handler, Handlers, TaskContext } from "../work/handler.ts";
import { messageOf } from "../work/thrown.ts";
import { HandlerThread } from "./handler-thread.ts";
import type { SpawnThread } from "./thread.ts";

export interface ThreadPoolOptions {
  /** The URL of the module with the handlers. */
  readonly module: string;
  readonly spawn: SpawnThread;
  /** Threads at most; the first one is started in any case, to load the module. */
  readonly size: number;
}

/**
 * Runs handlers in threads, so that none of them blocks the peer's own. Threads are started when they are needed, kept, and
 * replaced after they have ended. Each runs one handler at a time.
 */
export class ThreadPool {
  readonly #options: ThreadPoolOptions;
  readonly #threads = new Set<HandlerThread>();
  readonly #idle: HandlerThread[] = [];
  /** Tasks that wait for a thread, in their order. */
  readonly #waiting: (() => void)[] = [];
  #size: number;
  #isStopped = false;

  constructor(options: ThreadPoolOptions) {
    this.#options = options;
    this.#size = Math.max(1, options.size);
  }

  /** Starts the first thread. Returns the handlers of the module, each of which runs in a thread; rejects if it can't be loaded. */
  async load(): Promise<Handlers> {
    const thread = this.#newThread();
    try {
      const kinds = await thread.loaded;
      const run: Handler = (_payload, context) => this.#run(context);
      return Object.fromEntries(kinds.map((kind) => [kind, run]));
    } catch (error) {
      throw new Error(this.#loadError(error), { cause: error });
    } finally {
      this.#release(thread);
    }
  }

  /** Changes how many threads there are at most. Running handlers continue. */
  setSize(size: number): void {
    this.#size = Math.max(1, size);
    while (this.#threads.size > this.#size) {
      const thread = this.#idle.pop();
      if (thread === undefined) return;
      this.#end(thread);
    }
    this.#serveWaiting();
  }

  /** Ends the idle threads, and the others as soon as their handlers have settled: abort these before. */
  stop(): void {
    this.#isStopped = true;
    for (const thread of this.#idle.splice(0)) this.#end(thread);
  }

  async #run(context: TaskContext): Promise<unknown> {
    const thread = await this.#take();
    try {
      await thread.loaded.catch((error: unknown) => {
        throw new Error(this.#loadError(error), { cause: error });
      });
      context.signal.throwIfAborted();
      return await thread.run(context);
    } finally {
      this.#release(thread);
    }
  }

  /** A thread that runs nothing, perhaps one that is not loaded yet. */
  async #take(): Promise<HandlerThread> {
    if (this.#isStopped) throw new Error("the peer has closed");
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    if (this.#threads.size < this.#size) return this.#newThread();
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.#take();
  }

  #newThread(): HandlerThread {
    const { spawn, module } = this.#options;
    const thread = new HandlerThread(spawn, module, () => this.#ended(thread));
    this.#threads.add(thread);
    return thread;
  }

  #release(thread: HandlerThread): void {
    const isNeeded = !this.#isStopped && this.#threads.size <= this.#size;
    if (thread.isUsable && isNeeded) this.#idle.push(thread);
    else this.#end(thread);
    this.#serveWaiting();
  }

  #end(thread: HandlerThread): void {
    this.#threads.delete(thread);
    thread.terminate();
  }

  #ended(thread: HandlerThread): void {
    this.#threads.delete(thread);
    const index = this.#idle.indexOf(thread);
    if (index >= 0) this.#idle.splice(index, 1);
    this.#serveWaiting();
  }

  #serveWaiting(): void {
    if (this.#idle.length > 0 || this.#threads.size < this.#size) this.#waiting.shift()?.();
  }

  #loadError(error: unknown): string {
    return `the handlers' module ${this.#options.module} can't be loaded: ${messageOf(error)}`;
  }
}
