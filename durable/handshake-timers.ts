import { HANDSHAKE_TIMEOUT } from "../src/protocol/constants.ts";
import { isHandshaking, type Session } from "../src/session/state.ts";

/** Ends handshakes that take too long, by timers in memory: nothing is stored for a peer before it has proved its key. */
export class HandshakeTimers {
  readonly #onTimeout: (socket: WebSocket) => Promise<void>;
  readonly #timers = new WeakMap<WebSocket, ReturnType<typeof setTimeout>>();

  constructor(onTimeout: (socket: WebSocket) => Promise<void>) {
    this.#onTimeout = onTimeout;
  }

  /** Starts the socket's timer when its session begins a handshake, and stops it when the handshake is over. */
  update(socket: WebSocket, session: Session): void {
    const timer = this.#timers.get(socket);
    if (!isHandshaking(session)) {
      if (timer === undefined) return;
      // A pending timer keeps the object in memory, which is billed.
      clearTimeout(timer);
      this.#timers.delete(socket);
    } else if (timer === undefined) {
      this.#timers.set(
        socket,
        setTimeout(() => void this.#onTimeout(socket), HANDSHAKE_TIMEOUT),
      );
    }
  }
}
