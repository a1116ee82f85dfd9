import { exports } from "cloudflare:workers";
import type { Platform, SocketLike } from "../../src/client/platform.ts";

type Listener = (event: never) => void;

/** The SDK's socket to the mesh under test: a real WebSocket, which workerd opens by a request. */
class SdkSocket implements SocketLike {
  binaryType = "arraybuffer";
  readyState = 0;
  readonly #listeners = new Map<string, Listener[]>();
  #socket: WebSocket | null = null;

  constructor(url: string, subprotocol?: string) {
    void this.#open(url, subprotocol);
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  send(data: string | Uint8Array): void {
    this.#socket?.send(data);
  }

  close(code?: number, reason?: string): void {
    this.readyState = 2;
    this.#socket?.close(code, reason);
  }

  async #open(url: string, subprotocol?: string): Promise<void> {
    const response = await exports.default.fetch(url.replace(/^ws/, "http"), {
      headers: {
        Host: new URL(url).host,
        Upgrade: "websocket",
        ...(subprotocol !== undefined && { "Sec-WebSocket-Protocol": subprotocol }),
      },
    });
    const { webSocket } = response;
    if (webSocket === null) return this.#closed({ code: 1006, reason: "" });
    this.#socket = webSocket;
    webSocket.binaryType = "arraybuffer";
    webSocket.accept();
    webSocket.addEventListener("message", ({ data }) => this.#emit("message", { data }));
    webSocket.addEventListener("close", (event) => this.#closed(event));
    this.readyState = 1;
    this.#emit("open", {});
  }

  #closed({ code, reason }: { readonly code: number; readonly reason: string }): void {
    this.readyState = 3;
    this.#emit("close", { code, reason });
  }

  #emit(type: string, event: unknown): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event as never);
  }
}

/** The platform of an SDK peer whose sockets lead to the mesh under test. */
export const sdkPlatform = (fetch: Platform["fetch"]): Partial<Platform> => ({
  openSocket: (url, subprotocol) => new SdkSocket(url, subprotocol),
  fetch,
  measureRoute: () => Promise.resolve(null),
});
