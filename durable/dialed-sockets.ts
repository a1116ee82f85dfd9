import { faultOf } from "../src/base/log/log-events.ts";
import type { DialedSocket } from "./dial-out.ts";
import { log } from "./worker-log.ts";

/** The socket events of an object. The platform calls these methods itself for sockets that it can hibernate. */
export interface SocketEvents {
  webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): Promise<void>;
  webSocketClose(socket: WebSocket, code: number, reason: string, wasClean: boolean): Promise<void>;
  webSocketError(socket: WebSocket): Promise<void>;
}

/** How many milliseconds a peer has to answer a close. Then the connection is aborted: it would keep the object in memory, which is billed. */
const CLOSE_TIMEOUT_MS = 5_000;

/**
 * Sockets that an object opened itself. The platform can't hibernate them: they keep the object in memory and are lost with
 * it. Their attachments work like those of other sockets while the object is in memory.
 */
export class DialedSockets {
  /** The function that aborts each connection. */
  readonly #sockets = new Map<WebSocket, () => void>();
  readonly #events: SocketEvents;

  constructor(events: SocketEvents) {
    this.#events = events;
  }

  all(): readonly WebSocket[] {
    return [...this.#sockets.keys()];
  }

  /** Dispatches the events of a socket until it is closed. Its session must be attached before. */
  adopt({ socket, abort }: DialedSocket): void {
    this.#sockets.set(socket, abort);
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }) =>
      logFailure(this.#events.webSocketMessage(socket, data as string | ArrayBuffer)),
    );
    socket.addEventListener("close", ({ code, reason, wasClean }) =>
      this.#removeAfter(socket, this.#events.webSocketClose(socket, code, reason, wasClean)),
    );
    socket.addEventListener("error", () =>
      this.#removeAfter(socket, this.#events.webSocketError(socket)),
    );
    socket.accept();
  }

  /** A close was sent on the socket. Does nothing for a socket that the object did not open. */
  closeSent(socket: WebSocket): void {
    const abort = this.#sockets.get(socket);
    if (abort === undefined) return;
    setTimeout(() => {
      if (this.#sockets.delete(socket)) abort();
    }, CLOSE_TIMEOUT_MS);
  }

  #removeAfter(socket: WebSocket, handled: Promise<void>): void {
    logFailure(handled.finally(() => this.#sockets.delete(socket)));
  }
}

/** The handlers of events are not awaited: their failures are logged. */
const logFailure = (work: Promise<void>): void =>
  void work.catch((thrown) => log.write("session.event_failed", faultOf(thrown)));
