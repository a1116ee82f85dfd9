import { marked, type ToThread } from "../../../src/client/threads/messages.ts";
import { serveHandlers } from "../../../src/client/threads/serve-handlers.ts";
import type { SpawnThread, ThreadListener } from "../../../src/client/threads/thread.ts";

/** A thread's code that runs in the thread of the test, so that fake timers reach it. */
export class InlineThreads {
  readonly #load: (module: string) => Promise<unknown>;
  /** The URLs that were loaded. */
  readonly loaded: string[] = [];
  readonly listeners: ThreadListener[] = [];
  terminated = 0;

  /** `load` returns the module's exports. */
  constructor(load: (module: string) => Promise<unknown>) {
    this.#load = load;
  }

  readonly spawn: SpawnThread = (listener) => {
    let receive: (data: unknown) => void = () => {};
    this.listeners.push(listener);
    queueMicrotask(() =>
      serveHandlers(
        {
          post: (message) => listener.message(marked(message)),
          listen: (each) => (receive = each),
        },
        (module) => {
          this.loaded.push(module);
          return this.#load(module);
        },
        Date.now,
      ),
    );
    return Promise.resolve({
      post: (message: ToThread) => receive(marked(message)),
      terminate: () => {
        this.terminated++;
        listener.ended("was terminated");
      },
    });
  };
}
