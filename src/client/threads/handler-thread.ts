import { JsonText } from "../../base/json-text/json-text.ts";
import { TaskError } from "../errors.ts";
import type { TaskContext } from "../work/handler.ts";
import { THREAD_ABORT_GRACE, THREAD_LOAD_TIMEOUT } from "../timings.ts";
import { unmarked, type FromThread } from "./messages.ts";
import type { SpawnThread, Thread } from "./thread.ts";

interface Running {
  readonly outcome: PromiseWithResolvers<JsonText>;
  readonly progress: TaskContext["progress"];
}

/** One thread, as the peer sees it: loads the module once, then runs one task after another until it ends. */
export class HandlerThread {
  readonly #module: string;
  readonly #onEnd: () => void;
  readonly #loaded = Promise.withResolvers<readonly string[]>();
  readonly #spawned: Promise<Thread>;
  #thread: Thread | null = null;
  #running: Running | null = null;
  #isUsable = true;
  /** Why the thread is gone; null while it is there. */
  #endReason: string | null = null;

  /** `onEnd` is called once, when the thread is gone. */
  constructor(spawn: SpawnThread, module: string, onEnd: () => void) {
    this.#module = module;
    this.#onEnd = onEnd;
    const timer = setTimeout(
      () => this.#fail(`it was not loaded within ${THREAD_LOAD_TIMEOUT} ms`),
      THREAD_LOAD_TIMEOUT,
    );
    const stopTimer = (): void => clearTimeout(timer);
    this.#loaded.promise.then(stopTimer, stopTimer);
    this.#spawned = spawn({
      message: (data) => this.#receive(data),
      ended: (reason) => this.#end(reason),
    });
    this.#spawned.then(
      (thread) => this.#setThread(thread),
      (error: unknown) => this.#end(`could not be started: ${String(error)}`),
    );
  }

  /** Whether it can run a task, now or when it is loaded. */
  get isUsable(): boolean {
    return this.#isUsable;
  }

  /** The kinds that the module handles. Rejects if it can't be loaded. */
  get loaded(): Promise<readonly string[]> {
    return this.#loaded.promise;
  }

  /**
   * Runs a task. Settles when the handler has settled or the thread has ended, whichever is first. When the signal aborts,
   * the handler has `THREAD_ABORT_GRACE` to settle; then the thread is ended.
   */
  async run({ signal, progress, ...task }: TaskContext): Promise<JsonText> {
    if (this.#endReason !== null) throw new Error(endedText(this.#endReason));
    const outcome = Promise.withResolvers<JsonText>();
    this.#running = { outcome, progress };
    this.#thread?.post({ type: "run", task });
    let grace: ReturnType<typeof setTimeout> | undefined;
    const abort = (): void => {
      const { name, message } = signal.reason as DOMException;
      this.#thread?.post({ type: "abort", name, reason: message });
      grace = setTimeout(() => this.terminate(), THREAD_ABORT_GRACE);
    };
    signal.addEventListener("abort", abort);
    try {
      return await outcome.promise;
    } finally {
      signal.removeEventListener("abort", abort);
      clearTimeout(grace);
      this.#running = null;
    }
  }

  /** Ends the thread, whatever it does. */
  terminate(): void {
    this.#isUsable = false;
    this.#thread?.terminate();
  }

  #setThread(thread: Thread): void {
    this.#thread = thread;
    if (!this.#isUsable) thread.terminate();
  }

  #receive(data: unknown): void {
    const message = unmarked<FromThread>(data);
    switch (message?.type) {
      case undefined:
        return;
      case "started":
        return void this.#spawned.then((thread) =>
          thread.post({ type: "load", module: this.#module }),
        );
      case "loaded":
        return this.#loaded.resolve(message.kinds);
      case "load_failed":
        return this.#fail(message.error);
      case "progress":
        return this.#running?.progress(message.fraction, message.message);
      case "returned":
        return this.#running?.outcome.resolve(new JsonText(message.json));
      case "threw":
        return this.#running?.outcome.reject(
          new TaskError(message.error, { retry: message.retry }),
        );
      case "crashed":
        return this.#end(`crashed: ${message.error}`);
      default:
        message satisfies undefined;
    }
  }

  /** The module can't be loaded: the thread is of no use. */
  #fail(error: string): void {
    this.#loaded.reject(new Error(error));
    this.terminate();
  }

  #end(reason: string): void {
    if (this.#endReason !== null) return;
    this.#endReason = reason;
    this.#loaded.reject(new Error(`the thread that loaded it ${reason}`));
    this.#running?.outcome.reject(new Error(endedText(reason)));
    this.terminate();
    this.#onEnd();
  }
}

const endedText = (reason: string): string => `the thread that ran the handler ${reason}`;
