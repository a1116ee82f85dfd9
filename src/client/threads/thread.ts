import type { ToThread } from "./messages.ts";

/** A thread that runs `thread-entry.ts`. */
export interface Thread {
  post(message: ToThread): void;
  /** Ends the thread at once, whatever it does. `ended` of the listener follows. */
  terminate(): void;
}

export interface ThreadListener {
  /** A message of the thread, as it came. */
  message(data: unknown): void;
  /** The thread is gone, and nothing follows. `reason` completes "the thread that ran the handler ...". */
  ended(reason: string): void;
}

/** Starts a thread. Rejects if this runtime has no threads. */
export type SpawnThread = (listener: ThreadListener) => Promise<Thread>;
