/** What a handler thread runs. It is a file of its own, because a thread starts with a file. */
import { hasNodeThreads } from "./runtime.ts";
import { marked } from "./messages.ts";
import { serveHandlers, type ThreadPort } from "./serve-handlers.ts";

interface ParentPort {
  postMessage(data: unknown): void;
  on(event: "message", listener: (data: unknown) => void): void;
}

/** The part of the global scope of a Web Worker that is used here: not every compiler has a library with its type. */
interface WorkerScope {
  postMessage(data: unknown): void;
  addEventListener(
    type: "unhandledrejection",
    listener: (event: { readonly reason: unknown }) => void,
  ): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
}

/** Null in a Web Worker, which Deno and Bun have as well. */
async function nodePort(): Promise<ThreadPort | null> {
  if (!hasNodeThreads()) return null;
  const name = "node:worker_threads";
  const { parentPort } = (await import(name)) as { parentPort: ParentPort | null };
  if (parentPort === null) return null;
  return {
    post: (message) => parentPort.postMessage(marked(message)),
    listen: (receive) => parentPort.on("message", receive),
  };
}

function webPort(): ThreadPort {
  const scope = self as unknown as WorkerScope;
  const post: ThreadPort["post"] = (message) => scope.postMessage(marked(message));
  // An error that is not caught inside a promise ends a thread of Node, but not one of a browser.
  scope.addEventListener("unhandledrejection", ({ reason }) =>
    post({ type: "crashed", error: String(reason) }),
  );
  return {
    post,
    listen: (receive) => scope.addEventListener("message", ({ data }) => receive(data)),
  };
}

serveHandlers(
  (await nodePort()) ?? webPort(),
  (module) => import(module) as Promise<unknown>,
  () => performance.now(),
);
