import { describe, expectTypeOf, test } from "vitest";
import {
  connectPeer,
  type Handler,
  type Handlers,
  type Json,
  type Listing,
  type MeshClient,
  type Peer,
  type PeerOptions,
  type PeerView,
  type Task,
  type TaskContext,
} from "../../src/client/index.ts";

/** Interfaces: unlike type aliases they have no index signature, so a bound of `Json` would reject them. */
interface ResizePayload {
  readonly url: string;
  readonly width: number;
}
interface ResizeResult {
  readonly bytes: number;
  readonly url?: string;
}

/** The compiler checks these functions; they are never called. */
declare const mesh: MeshClient;
declare const peer: Peer;

describe("the types of the SDK", () => {
  test("connectPeer accepts handlers with the user's own payload types", () => {
    const join = () =>
      connectPeer({
        url: "https://mesh.example",
        handlers: {
          resize: async (payload: ResizePayload, task) => {
            expectTypeOf(payload.width).toEqualTypeOf<number>();
            expectTypeOf(task).toEqualTypeOf<TaskContext>();
            return { bytes: payload.width } satisfies ResizeResult;
          },
          count: (payload: readonly string[]) => payload.length,
          "*": (payload) => payload,
        },
      });
    expectTypeOf(join).returns.toEqualTypeOf<Peer>();
  });

  test("a payload without an annotation is unknown, so that it must be narrowed", () => {
    const join = () =>
      connectPeer({
        url: "https://mesh.example",
        handlers: {
          echo: (payload) => {
            expectTypeOf(payload).toEqualTypeOf<unknown>();
            return payload;
          },
        },
      });
    expectTypeOf(join).toBeFunction();
  });

  test("handlers and options can be declared apart from the call", () => {
    const resize: Handler<ResizePayload> = ({ width }) => width;
    const handlers: Handlers = { resize, count: (payload: readonly string[]) => payload.length };
    const join = (options: PeerOptions) => [
      connectPeer(options),
      connectPeer({ ...options, handlers }),
    ];
    expectTypeOf(join).toBeFunction();
  });

  test("a handler that wants another task context does not compile", () => {
    const handlers: Handlers = {
      // @ts-expect-error A task context has no such field.
      resize: (_payload: Json, task: { height: number }) => task.height,
    };
    expectTypeOf(handlers).toBeObject();
  });

  test("run, get, wait, follow and result return the caller's result type, and Json without one", () => {
    const calls = {
      run: () => mesh.run<ResizeResult>("resize", { url: "", width: 1 }),
      get: () => mesh.tasks.get<ResizeResult>("id"),
      wait: () => mesh.tasks.wait<ResizeResult>("id"),
      result: () => mesh.tasks.result<ResizeResult>("id"),
      follow: () => mesh.tasks.follow<ResizeResult>("id"),
      untyped: () => mesh.run("resize"),
      fromPeer: () => peer.tasks.run<ResizeResult>("resize"),
    };
    expectTypeOf(calls.run).returns.resolves.toEqualTypeOf<ResizeResult>();
    expectTypeOf(calls.get).returns.resolves.toEqualTypeOf<Task<ResizeResult>>();
    expectTypeOf(calls.wait).returns.resolves.toEqualTypeOf<Task<ResizeResult>>();
    expectTypeOf(calls.result).returns.resolves.toEqualTypeOf<ResizeResult>();
    expectTypeOf(calls.follow).returns.toExtend<AsyncIterable<Task<ResizeResult>>>();
    expectTypeOf(calls.untyped).returns.resolves.toEqualTypeOf<Json>();
    expectTypeOf(calls.fromPeer).returns.resolves.toEqualTypeOf<ResizeResult>();
    expectTypeOf<Task<ResizeResult>["result"]>().toEqualTypeOf<ResizeResult | null>();
  });

  test("every list is an async iterable", () => {
    expectTypeOf<ReturnType<MeshClient["peers"]["list"]>>().toEqualTypeOf<Listing<PeerView>>();
    expectTypeOf<Listing<PeerView>>().toExtend<AsyncIterable<PeerView>>();
  });
});
