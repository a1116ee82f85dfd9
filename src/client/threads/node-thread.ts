import { marked } from "./messages.ts";
import type { SpawnThread } from "./thread.ts";

/** The part of `node:worker_threads` that is used here. */
interface NodeWorker {
  on(event: "message", listener: (data: unknown) => void): void;
  on(event: "error", listener: (error: unknown) => void): void;
  on(event: "exit", listener: (code: number) => void): void;
  postMessage(data: unknown): void;
  terminate(): Promise<unknown>;
}
interface WorkerThreads {
  readonly Worker: new (url: URL, options: NodeThreadOptions) => NodeWorker;
}

/** Options of Node's `Worker`. */
export interface NodeThreadOptions {
  /** The environment variables of the threads; default: those of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Whether what the threads print is kept off the standard output of the process; `onWorker` then reads it. */
  readonly stdout?: boolean;
  /** The same for the standard error output. */
  readonly stderr?: boolean;
  readonly resourceLimits?: {
    readonly maxOldGenerationSizeMb?: number;
    readonly maxYoungGenerationSizeMb?: number;
  };
}

/** The name is not a literal in `import`, so that bundlers for browsers do not look for the module. */
const WORKER_THREADS = "node:worker_threads";

/** Not a literal in `new URL` either: they would take the file for one that the page loads. */
const THREAD_ENTRY = "./thread-entry.ts";

/** Threads of Node, Deno and Bun. `onWorker` receives each new one, for example to read its standard output. */
export const nodeThreads =
  (options: NodeThreadOptions = {}, onWorker: (worker: unknown) => void = () => {}): SpawnThread =>
  async (listener) => {
    // Vite takes every `new Worker` for one of the page.
    const { Worker: NodeWorker } = (await import(WORKER_THREADS)) as WorkerThreads;
    const worker = new NodeWorker(new URL(THREAD_ENTRY, import.meta.url), options);
    onWorker(worker);
    let error: string | null = null;
    worker.on("message", (data) => listener.message(data));
    worker.on("error", (thrown) => (error ??= reasonOf(thrown)));
    worker.on("exit", (code) => listener.ended(error ?? `exited with code ${code}`));
    return {
      post: (message) => worker.postMessage(marked(message)),
      terminate: () => void worker.terminate(),
    };
  };

function reasonOf(thrown: unknown): string {
  const { code, message } = thrown as { readonly code?: unknown; readonly message?: unknown };
  if (code === "ERR_WORKER_OUT_OF_MEMORY") return "ran out of memory";
  return `crashed: ${typeof message === "string" ? message : String(thrown)}`;
}
