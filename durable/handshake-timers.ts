import { HANDSHAKE_DEADLINE } from "../src/protocol/constants.ts";
import { isHandshaking, type Session } from "../src/session/state.ts";

/** Ends handshakes that take too long: by timers in memory, for nothing is written for a peer before it has proved its key. */
export class HandshakeTimers {
  readonly #late: (socket: WebSocket) => Promise<void>;
  readonly #timers = new WeakMap<WebSocket, ReturnType<typeof setTimeout>>();

  constructor(late: (socket: WebSocket) => Promise<void>) {
    this.#late = late;
  }

  /** The socket's session is this from now on. */
  mind(socket: WebSocket, session: Session): void {
    const timer = this.#timers.get(socket);
    if (!isHandshaking(session)) {
      // Pending, it would keep the object in memory, and billed.
      clearTimeout(timer ?? null);
    } else if (timer === undefined) {
      this.#timers.set(
        socket,
        setTimeout(() => void this.#late(socket), HANDSHAKE_DEADLINE),
      );
    }
  }
}
