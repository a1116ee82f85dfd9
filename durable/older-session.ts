import { SECOND } from "../src/base/clock.ts";
import type { SessionAnswer } from "../src/contract/commands.ts";
import type { SessionSockets } from "./session-sockets.ts";

/** How long the older session may take to answer: longer than any usual round trip, short for a peer that reconnects. */
const ANSWER_TIMEOUT = 2 * SECOND;

/**
 * Finds out whether the session that a newcomer would take over is alive. The coordinator has refused the newcomer because
 * another process seems to use the key; the newcomer wins if the older session does not answer a ping at once.
 */
export class OlderSession {
  readonly #sockets: SessionSockets;
  readonly #ping: (socket: WebSocket) => void;
  readonly #waiting = new Map<WebSocket, () => void>();

  constructor(sockets: SessionSockets, ping: (socket: WebSocket) => void) {
    this.#sockets = sockets;
    this.#ping = ping;
  }

  /** A frame has arrived on this socket. */
  heard(socket: WebSocket): void {
    this.#waiting.get(socket)?.();
  }

  /** The answers to commands, in which an admission that was refused for a session that is silent was repeated. */
  settle(
    answers: readonly SessionAnswer[],
    repeat: (again: Extract<SessionAnswer, { name: "admit" }>) => Promise<SessionAnswer>,
  ): Promise<readonly SessionAnswer[]> {
    return Promise.all(
      answers.map(async (answer) => {
        if (answer.name !== "admit" || answer.result.ok) return answer;
        if (answer.result.error.code !== "key_in_use" || (await this.#answers())) return answer;
        return repeat(answer);
      }),
    );
  }

  /** Whether a session of this object answers a ping in time. */
  async #answers(): Promise<boolean> {
    const older = this.#sockets
      .all()
      .filter((socket) => this.#sockets.sessionOf(socket).state === "active");
    const heard = await Promise.all(older.map((socket) => this.#isHeard(socket)));
    return heard.some(Boolean);
  }

  async #isHeard(socket: WebSocket): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), ANSWER_TIMEOUT);
    this.#waiting.set(socket, () => resolve(true));
    this.#ping(socket);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(socket);
    }
  }
}
