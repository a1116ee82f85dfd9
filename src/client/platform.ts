import type { Millis, Random, RandomBytes } from "../base/clock.ts";
import { platformRandom } from "../crypto/primitives/random.ts";
import type { MeasureRoute } from "./route/measure-route.ts";
import { nodeThreads } from "./threads/node-thread.ts";
import { hasNodeThreads } from "./threads/runtime.ts";
import type { SpawnThread } from "./threads/thread.ts";
import { webThreads } from "./threads/web-thread.ts";

export interface SocketClosed {
  readonly code: number;
  readonly reason: string;
}

/** The part of the browser's WebSocket that the SDK uses; Node, Deno and browsers all have it as a global. */
export interface SocketLike {
  binaryType: string;
  /** 1 while frames can be sent (the standard's `OPEN`). */
  readonly readyState: number;
  addEventListener(type: "open", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: SocketClosed) => void): void;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
}

/** What the SDK uses of its runtime. The defaults are the Web-standard globals; tests replace them. */
export interface Platform {
  readonly now: () => Millis;
  /** A clock that is never set, for durations. */
  readonly monotonic: () => Millis;
  readonly random: Random;
  readonly randomBytes: RandomBytes;
  /** Opens a socket, and requests `subprotocol` if it is given. */
  readonly openSocket: (url: string, subprotocol?: string) => SocketLike;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Starts a thread for handlers: by `node:worker_threads` on Node, Deno and Bun, a Web Worker in browsers. */
  readonly spawnThread: SpawnThread;
  /** Measures the network path to the mesh's host: by traceroute, tracepath or mtr on Node, Deno and Bun. */
  readonly measureRoute: MeasureRoute;
}

export const hostPlatform: Platform = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  random: () => Math.random(),
  randomBytes: platformRandom,
  openSocket: (url, subprotocol) => new WebSocket(url, subprotocol),
  fetch: (url, init) => fetch(url, init),
  spawnThread: (listener) => (hasNodeThreads() ? nodeThreads() : webThreads())(listener),
  measureRoute: async (...args) => (await import("./route/measure-route.ts")).measureRoute(...args),
};
