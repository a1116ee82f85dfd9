import type { Json } from "../../base/json.ts";

/** What a thread needs to run one attempt. */
export interface ThreadTask {
  readonly taskId: string;
  readonly kind: string;
  readonly attempt: number;
  readonly fence: number;
  /** The payload as JSON, which the thread parses. */
  readonly payloadText: string;
  readonly traceparent?: string;
  readonly tracestate?: string;
}

/** From the peer to the thread. A thread runs one task at a time. */
export type ToThread =
  | { readonly type: "load"; readonly module: string }
  | { readonly type: "run"; readonly task: ThreadTask }
  /** The signal of the running task aborts. */
  | { readonly type: "abort"; readonly name: string; readonly reason: string };

/** From the thread to the peer. */
export type FromThread =
  /** The thread listens. */
  | { readonly type: "started" }
  | { readonly type: "loaded"; readonly kinds: readonly string[] }
  | { readonly type: "load_failed"; readonly error: string }
  | {
      readonly type: "progress";
      readonly fraction: number | undefined;
      readonly message: string | undefined;
    }
  /** The result as JSON: the peer's thread does not spend the time to make it. */
  | { readonly type: "returned"; readonly json: string }
  | { readonly type: "threw"; readonly error: string; readonly retry: boolean }
  /** An error that no handler caught. The thread must be ended. */
  | { readonly type: "crashed"; readonly error: string };

/** Distinguishes these messages from others that a handler, or a library that it uses, may post. */
const MARK = "muster";

export const marked = (message: ToThread | FromThread): Json =>
  ({ ...message, [MARK]: true }) as unknown as Json;

/** The message of this protocol; null for anything else. */
export function unmarked<T extends ToThread | FromThread>(data: unknown): T | null {
  const isOurs = typeof data === "object" && data !== null && MARK in data;
  return isOurs ? (data as unknown as T) : null;
}
