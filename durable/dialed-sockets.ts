import type { DialedSocket } from "./dial-out.ts";

/** What an object does with the events of its sockets; the platform calls these by itself for those it can hibernate. */
export interface SocketEvents {
  webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): Promise<void>;
  webSocketClose(socket: WebSocket, code: number, reason: string, wasClean: boolean): Promise<void>;
  webSocketError(socket: WebSocket): Promise<void>;
}

/** How long a peer has to answer our close; then it is cut off, lest it keep the object in memory, and billed, for ever. */
const CLOSE_DEADLINE = 5_000;

/**
 * Sockets that an object has opened itself. The platform can't hibernate them: they keep the object in memory, and are lost
 * with it. Their attachments work like those of others, as long as the object lives.
 */
export class DialedSockets {
  /** With what cuts each off. */
  readonly #sockets = new Map<WebSocket, () => void>();
  readonly #events: SocketEvents;

  constructor(events: SocketEvents) {
    this.#events = events;
  }

  all(): readonly WebSocket[] {
    return [...this.#sockets.keys()];
  }

  /** Takes a socket over until it is closed. Whatever is to be known of it must be attached before. */
  adopt({ socket, cutOff }: DialedSocket): void {
    this.#sockets.set(socket, cutOff);
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }) =>
      watched(this.#events.webSocketMessage(socket, data as string | ArrayBuffer)),
    );
    socket.addEventListener("close", ({ code, reason, wasClean }) =>
      this.#over(socket, this.#events.webSocketClose(socket, code, reason, wasClean)),
    );
    socket.addEventListener("error", () => this.#over(socket, this.#events.webSocketError(socket)));
    socket.accept();
  }

  /** A close was sent; does nothing for sockets of another kind. */
  closeSent(socket: WebSocket): void {
    const cutOff = this.#sockets.get(socket);
    if (cutOff === undefined) return;
    setTimeout(() => {
      if (this.#sockets.delete(socket)) cutOff();
    }, CLOSE_DEADLINE);
  }

  #over(socket: WebSocket, told: Promise<void>): void {
    watched(told.finally(() => this.#sockets.delete(socket)));
  }
}

/** Nobody awaits what an event sets going. */
const watched = (work: Promise<void>): void =>
  void work.catch((thrown) => console.error("dialled socket failed", { error: String(thrown) }));
