import { SECOND } from "../src/base/clock.ts";
import { withDeadline } from "../src/base/deadline.ts";
import type { SessionAnswer } from "../src/contract/commands.ts";
import { RPC_TIMEOUT, RPC_VERSION } from "../src/protocol/constants.ts";
import type { PeerId } from "../src/protocol/ids.ts";
import { coordinatorForGateway } from "./coordinator-port.ts";
import type { Env } from "./env.ts";
import type { SessionSockets } from "./session-sockets.ts";
import { log } from "./worker-log.ts";

/** How long the older session may take to answer: longer than any usual round trip, short for a peer that reconnects. */
const ANSWER_TIMEOUT = 2 * SECOND;

/**
 * Whether the session that the coordinator holds of a go-p2p node answers a ping. One that can't be asked counts as silent: the node
 * has proved its key in the newer session, and must not be kept out.
 */
export async function answersElsewhere(env: Env, peerId: PeerId): Promise<boolean> {
  const held = await coordinatorForGateway(env, "anonymous").call("request_peer", {
    id: peerId,
    type: "get_stats",
  });
  if (!held.ok) return false;
  const { session, epoch } = held.value;
  const stub = env.PEER_SESSION.get(env.PEER_SESSION.idFromString(session));
  try {
    return await withDeadline(stub.answers(RPC_VERSION, epoch), ANSWER_TIMEOUT + RPC_TIMEOUT);
  } catch (thrown) {
    log.write("session.not_asked", { peer: peerId, error: String(thrown) });
    return false;
  }
}

/**
 * Finds out whether the session that a newcomer would take over is alive. The coordinator has refused the newcomer because
 * another process seems to use the key; the newcomer wins if the older session does not answer a ping at once.
 */
export class OlderSession {
  readonly #sockets: SessionSockets;
  readonly #ping: (socket: WebSocket) => void;
  readonly #elsewhere: (peerId: PeerId) => Promise<boolean>;
  /** The sockets whose peer was pinged and has not answered yet. Whoever asks meanwhile waits for the same answer. */
  readonly #waiting = new Map<WebSocket, PromiseWithResolvers<boolean>>();

  /** @param elsewhere whether the peer's session in another object answers a ping in time */
  constructor(
    sockets: SessionSockets,
    ping: (socket: WebSocket) => void,
    elsewhere: (peerId: PeerId) => Promise<boolean>,
  ) {
    this.#sockets = sockets;
    this.#ping = ping;
    this.#elsewhere = elsewhere;
  }

  /** A frame has arrived on this socket. */
  heard(socket: WebSocket): void {
    this.#waiting.get(socket)?.resolve(true);
  }

  /** The answers to commands, in which an admission that was refused for a session that is silent was repeated. */
  settle(
    answers: readonly SessionAnswer[],
    repeat: (again: Extract<SessionAnswer, { name: "admit" }>) => Promise<SessionAnswer>,
  ): Promise<readonly SessionAnswer[]> {
    return Promise.all(
      answers.map(async (answer) => {
        if (answer.name !== "admit" || answer.result.ok) return answer;
        if (answer.result.error.code !== "key_in_use") return answer;
        const { peerId, protocol } = answer.input;
        // All muster.2 sessions of a peer are in this object, and each go-p2p session is in one of its own.
        const isAlive =
          protocol === "muster/2" ? await this.#anyAnswers() : await this.#elsewhere(peerId);
        return isAlive ? answer : repeat(answer);
      }),
    );
  }

  /** Whether a session of this object answers a ping in time. */
  async #anyAnswers(): Promise<boolean> {
    const older = this.#sockets
      .all()
      .filter((socket) => this.#sockets.sessionOf(socket).state === "active");
    const heard = await Promise.all(older.map((socket) => this.isHeard(socket)));
    return heard.some(Boolean);
  }

  /** Whether the peer on this socket answers a ping in time. */
  async isHeard(socket: WebSocket): Promise<boolean> {
    const underWay = this.#waiting.get(socket);
    if (underWay !== undefined) return underWay.promise;
    const answer = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => answer.resolve(false), ANSWER_TIMEOUT);
    this.#waiting.set(socket, answer);
    this.#ping(socket);
    try {
      return await answer.promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(socket);
    }
  }
}
