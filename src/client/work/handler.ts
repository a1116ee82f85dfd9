/** What a handler knows about its task besides the payload. */
export interface TaskContext {
  readonly taskId: string;
  readonly kind: string;
  /** The payload as JSON, exactly as it was submitted: parsing rounds integers beyond 2^53 and long decimals. */
  readonly payloadText: string;
  /** 1 for the first attempt of the task, on whichever peer. */
  readonly attempt: number;
  /**
   * The fence of the attempt: of two attempts of a task the later one has the larger fence. A program that writes elsewhere can
   * pass it on, so that a late write of an earlier attempt is recognized.
   */
  readonly fence: number;
  /** The trace that the task belongs to (W3C Trace Context), for requests that the handler makes; absent if the task names none. */
  readonly traceparent?: string;
  readonly tracestate?: string;
  /**
   * Aborts when the mesh cancels the task, the attempt times out or the peer closes. The handler should stop: its result
   * will be dropped, and it occupies its slot until it has settled.
   */
  readonly signal: AbortSignal;
  /** Reports progress to the mesh: a fraction from 0 to 1, a message of at most 500 characters, or both. */
  readonly progress: (fraction?: number, message?: string) => void;
}

/**
 * Runs one attempt of a task. The returned (or resolved) value is the result and must be JSON, or a `JsonText`: what JSON would
 * change in silence (NaN, a Map) fails the attempt. A thrown error fails the
 * attempt, and the mesh tries again, here or on another peer, unless it is a `TaskError` with `retry: false`.
 *
 * `Payload` may be any type of the user's, interfaces included. The SDK does not validate payloads: a handler receives
 * whatever JSON the task was submitted with, and must validate if it does not trust the submitters. This risk is accepted
 * for convenience. It is why the type is that of a method: parameters of methods are compared bivariantly, so that
 * `(payload: ResizePayload) => ...` is assignable to `Handler`. A bound of `Json` would reject interfaces.
 */
export type Handler<Payload = unknown> = {
  handle(payload: Payload, task: TaskContext): unknown;
}["handle"];

/** Handlers by task kind; `*` handles every kind that has no handler of its own. */
export type Handlers = Readonly<Record<string, Handler>>;

export const handlerOf = (handlers: Handlers, kind: string): Handler | undefined =>
  Object.hasOwn(handlers, kind) ? handlers[kind] : handlers["*"];
