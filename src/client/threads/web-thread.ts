import { marked } from "./messages.ts";
import type { SpawnThread } from "./thread.ts";

/** Web Workers, for browsers. Bundlers recognize the form of this call, and bundle the thread's code. */
export const spawnWebThread: SpawnThread = async (listener) => {
  const worker = new Worker(new URL("./thread-entry.ts", import.meta.url), { type: "module" });
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
