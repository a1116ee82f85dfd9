import { TASK_LARGE_RESULT_BYTES_MAX } from "../../protocol/constants.ts";
import { THREAD_PROGRESS_INTERVAL } from "../timings.ts";
import { messageOf, retryOf } from "../work/thrown.ts";
import { resultJson } from "../work/attempt-outcome.ts";
import type { Handler, Handlers } from "../work/handler.ts";
import { unmarked, type FromThread, type ThreadTask, type ToThread } from "./messages.ts";

/** The thread's end of its connection to the peer. */
export interface ThreadPort {
  post(message: FromThread): void;
  listen(receive: (data: unknown) => void): void;
}

/** Runs in a thread: loads the handlers, then runs the tasks that the peer sends, one at a time. */
export function serveHandlers(
  port: ThreadPort,
  load: (module: string) => Promise<unknown>,
  now: () => number,
): void {
  let handlers: Handlers = {};
  let abort = new AbortController();

  const receive = async (message: ToThread): Promise<void> => {
    switch (message.type) {
      case "load":
        try {
          handlers = handlersOf(await load(message.module));
          port.post({ type: "loaded", kinds: Object.keys(handlers) });
        } catch (error) {
          port.post({ type: "load_failed", error: messageOf(error) });
        }
        return;
      case "run":
        abort = new AbortController();
        port.post(await runTask(handlers, message.task, abort.signal, progressTo(port, now)));
        return;
      case "abort":
        abort.abort(new DOMException(message.reason, message.name));
        return;
      default:
        message satisfies never;
    }
  };
  port.listen((data) => {
    const message = unmarked<ToThread>(data);
    if (message !== null) void receive(message);
  });
  port.post({ type: "started" });
}

type Progress = (fraction?: number, message?: string) => void;

async function runTask(
  handlers: Handlers,
  task: ThreadTask,
  signal: AbortSignal,
  progress: Progress,
): Promise<FromThread> {
  try {
    const handler = handlerOf(handlers, task.kind);
    const result = await handler(JSON.parse(task.payloadText), { ...task, signal, progress });
    return returned(result);
  } catch (error) {
    return { type: "threw", error: messageOf(error), retry: retryOf(error) };
  }
}

/** The result as JSON. One that can't be sent would fail in the same way at another peer. */
function returned(result: unknown): FromThread {
  const json = resultJson(result);
  if (!json.ok) return finalError(json.error);
  return json.value.length <= TASK_LARGE_RESULT_BYTES_MAX
    ? { type: "returned", json: json.value }
    : finalError(`the result has over ${TASK_LARGE_RESULT_BYTES_MAX} bytes, more than can be sent`);
}

const finalError = (error: string): FromThread => ({ type: "threw", error, retry: false });

/** Posts progress at most once per `THREAD_PROGRESS_INTERVAL`, however often a handler reports it. */
function progressTo(port: ThreadPort, now: () => number): Progress {
  let postedAt = Number.NEGATIVE_INFINITY;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let latest: { fraction: number | undefined; message: string | undefined };
  const post = (): void => {
    clearTimeout(timer);
    timer = undefined;
    postedAt = now();
    port.post({ type: "progress", ...latest });
  };
  return (fraction, message) => {
    latest = { fraction: fraction ?? latest?.fraction, message: message ?? latest?.message };
    const delay = postedAt + THREAD_PROGRESS_INTERVAL - now();
    // A handler that never yields gives no timer a chance: its next report after the interval is posted directly.
    if (delay <= 0) post();
    else timer ??= setTimeout(post, delay);
  };
}

function handlerOf(handlers: Handlers, kind: string): Handler {
  const handler = Object.hasOwn(handlers, kind) ? handlers[kind] : handlers["*"];
  if (handler === undefined) throw new Error(`no handler for ${kind}`);
  return handler;
}

/** The handlers that a module exports: `handlers`, else its default export. Throws if there are none. */
function handlersOf(module: unknown): Handlers {
  const exported = module as { readonly handlers?: unknown; readonly default?: unknown };
  const handlers = exported.handlers ?? exported.default;
  if (typeof handlers !== "object" || handlers === null || Object.keys(handlers).length === 0) {
    throw new Error("the module exports no handlers; write `export const handlers = { KIND: … }`");
  }
  for (const [kind, handler] of Object.entries(handlers)) {
    if (typeof handler !== "function")
      throw new Error(`the module's handler of ${kind} is not a function`);
  }
  return handlers as Handlers;
}
