import type { Json } from "../../src/base/json.ts";
import type { Handler, TaskContext } from "../../src/client/work/handler.ts";

export interface Call {
  readonly payload: Json;
  readonly context: TaskContext;
  readonly finish: (result: unknown) => void;
  readonly fail: (error: Error) => void;
}

/** A handler whose calls the test ends one by one. */
export function manual(): { readonly calls: Call[]; readonly handler: Handler<Json> } {
  const calls: Call[] = [];
  const handler: Handler<Json> = (payload, context) => {
    const { promise, resolve: finish, reject: fail } = Promise.withResolvers<unknown>();
    calls.push({ payload, context, finish, fail });
    return promise;
  };
  return { calls, handler };
}
