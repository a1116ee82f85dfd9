import type { Millis } from "../src/base/clock.ts";
import { dueAt } from "../src/session/liveness.ts";
import { isHandshaking, type Session } from "../src/session/state.ts";
import type { DialedSockets } from "./dialed-sockets.ts";

/**
 * The sockets of one object and the session of each. A session is kept in its socket's attachment, so that the object may
 * hibernate between events.
 */
export class SessionSockets {
  readonly #ctx: DurableObjectState;
  readonly #dialed: DialedSockets;
  /**
   * The sessions in memory: an attachment is read only after hibernation. Those that ended stay as long as their socket, because
   * the answer to a command may still come.
   */
  readonly #sessions = new WeakMap<WebSocket, Session>();

  constructor(ctx: DurableObjectState, dialed: DialedSockets) {
    this.#ctx = ctx;
    this.#dialed = dialed;
  }

  all(): readonly WebSocket[] {
    return [...this.#ctx.getWebSockets(), ...this.#dialed.all()];
  }

  sessionOf(socket: WebSocket): Session {
    const known = this.#sessions.get(socket);
    if (known !== undefined) return known;
    const session = socket.deserializeAttachment() as Session;
    this.#sessions.set(socket, session);
    return session;
  }

  save(socket: WebSocket, session: Session): void {
    this.#sessions.set(socket, session);
    socket.serializeAttachment(session);
  }

  /** The socket of the active session with this epoch. */
  findActive(epoch: number): WebSocket | undefined {
    return this.all().find((socket) => {
      const session = this.sessionOf(socket);
      return session.state === "active" && session.epoch === epoch;
    });
  }

  /** How many sockets are in their handshake. */
  countHandshaking(): number {
    return this.all().filter((socket) => isHandshaking(this.sessionOf(socket))).length;
  }

  /** Whether the coordinator holds a session of this object, or may do so soon. */
  hasLiveSession(): boolean {
    return this.all().some((socket) => {
      const { state } = this.sessionOf(socket);
      return state === "active" || state === "admitting";
    });
  }

  /** When the first of the sessions is due; null when none is. */
  nextDue(): Millis | null {
    const dues = this.all()
      .map((socket) => dueAt(this.sessionOf(socket)))
      .filter((due) => due !== null);
    return dues.length === 0 ? null : Math.min(...dues);
  }

  /** When the platform last answered a heartbeat on this socket; null when it never did. */
  heartbeatAt(socket: WebSocket): Millis | null {
    return this.#ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? null;
  }

  send(socket: WebSocket, frame: string | Uint8Array): void {
    try {
      socket.send(frame);
    } catch {
      // The socket is closed already; its close event or the next ping ends the session.
    }
  }

  close(socket: WebSocket, code: number, reason: string): void {
    this.#dialed.closeSent(socket);
    try {
      socket.close(code, reason);
    } catch {
      // The socket is closed already, or the peer closed with a code that may not be sent.
    }
  }
}
