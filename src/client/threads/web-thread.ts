import { marked } from "./messages.ts";
import type { SpawnThread } from "./thread.ts";

/**
 * Web Workers, for browsers. Vite, webpack and Parcel recognize the default form of `create`, and bundle the thread's code.
 * For other bundlers, bundle `muster-mesh/thread` as an entry of its own and create a worker of that file.
 */
export const webThreads =
  (
    create = (): Worker =>
      new Worker(new URL("./thread-entry.ts", import.meta.url), { type: "module" }),
  ): SpawnThread =>
  async (listener) => {
    const worker = create();
    const end = (reason: string): void => {
      worker.terminate();
      listener.ended(reason);
    };
    worker.addEventListener("message", ({ data }) => listener.message(data));
    // A browser's worker goes on after an uncaught error; nobody knows in which state.
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      end(`crashed: ${event.message}`);
    });
    return {
      post: (message) => worker.postMessage(marked(message)),
      terminate: () => end("was terminated"),
    };
  };
