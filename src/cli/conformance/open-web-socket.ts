import type { Bytes } from "../../base/bytes.ts";
import type { RawSocket, SocketClosed } from "../../conformance/ports.ts";

/** How long opening a WebSocket may take. */
const OPEN_MS = 10_000;
const OPEN = 1;

/** Opens a WebSocket to a mesh; null when the server refuses it. */
export async function openWebSocket(url: string, subprotocol: string): Promise<RawSocket | null> {
  const socket = new WebSocket(url, subprotocol);
  socket.binaryType = "arraybuffer";
  const opened = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => opened.resolve(false), OPEN_MS);
  socket.addEventListener("open", () => opened.resolve(true));
  socket.addEventListener("close", () => opened.resolve(false));
  const client = new ClientSocket(socket);
  const isOpen = await opened.promise;
  clearTimeout(timer);
  return isOpen ? client : null;
}

class ClientSocket implements RawSocket {
  readonly #socket: WebSocket;
  onData: (data: string | Bytes) => void = () => {};
  onClosed: (closed: SocketClosed) => void = () => {};

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }: MessageEvent<string | ArrayBuffer>) =>
      this.onData(typeof data === "string" ? data : new Uint8Array(data)),
    );
    // 1006 is what the runtime reports when there was no close frame.
    socket.addEventListener("close", ({ code, reason }) =>
      this.onClosed({ code: code === 1_006 ? null : code, reason }),
    );
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    if (this.#socket.readyState === OPEN) this.#socket.send(data);
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  /** The runtime's WebSocket has no way to break off, so this is a close that an application would not send. */
  drop(): void {
    this.#socket.close(4_000, "dropped");
  }
}
