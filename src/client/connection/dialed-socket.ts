import { redactedError } from "../../base/redact.ts";
import type { Envelope } from "../../protocol/envelope.ts";
import { CLOSE } from "../../protocol/close-codes.ts";
import { newUuid } from "../../protocol/random-ids.ts";
import type { Platform, SocketLike } from "../platform.ts";
import { CLOSE_GRACE, DIAL_ATTEMPT_TIMEOUT } from "../timings.ts";
import { ABNORMAL_CLOSURE, connectionEndOf } from "./close-codes.ts";
import type { ConnectionEnd, ConnectionListener } from "./connection.ts";
import type { OutgoingMessage } from "./outgoing-message.ts";
import { SendPacer } from "./send-pacer.ts";

/** The protocol that a socket carries. */
export interface SocketProtocol {
  /** The socket is open: the protocol may send its first frame. */
  open(): void;
  frame(data: string | Uint8Array<ArrayBuffer>): void;
  /** The frame of a message, which is sent at once; null if the session is not open. */
  encode(message: OutgoingMessage): Uint8Array<ArrayBuffer> | null;
}

/** WebSocket's ready states. */
const OPEN = 1;
const CLOSED = 3;

/**
 * A WebSocket from dialing to its end, for either protocol: a deadline for the handshake, paced sending, exactly one
 * `ended` and no event after it, and a close that does not wait for a mesh that is gone.
 */
export class DialedSocket {
  readonly #protocol: SocketProtocol;
  readonly #listener: Pick<ConnectionListener, "activity" | "ended">;
  readonly #deadline: ReturnType<typeof setTimeout>;
  readonly #pacer: SendPacer;
  readonly #platform: Pick<Platform, "now" | "randomBytes">;
  #socket: SocketLike | null = null;
  #ended = false;

  constructor(
    protocol: SocketProtocol,
    listener: Pick<ConnectionListener, "activity" | "ended">,
    platform: Pick<Platform, "now" | "randomBytes">,
  ) {
    this.#protocol = protocol;
    this.#listener = listener;
    this.#platform = platform;
    this.#pacer = new SendPacer({
      now: platform.now,
      emit: (message) => this.#emit(message),
      newPing: () => this.#newPing(),
    });
    this.#deadline = setTimeout(
      () => this.drop(CLOSE.timeout, "the mesh did not answer the handshake"),
      DIAL_ATTEMPT_TIMEOUT,
    );
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Opens the socket. A socket that the platform forbids (mixed content, a blocked port) ends like any failed dial. */
  dial(openSocket: () => SocketLike): void {
    if (this.#ended) return;
    try {
      this.#socket = openSocket();
    } catch (error) {
      // The caller does not have the connection yet, so the event must not be synchronous.
      queueMicrotask(() =>
        this.end({ kind: "dropped", code: ABNORMAL_CLOSURE, reason: redactedError(error) }),
      );
      return;
    }
    const socket = this.#socket;
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => {
      if (!this.#ended) this.#protocol.open();
    });
    socket.addEventListener("message", ({ data }) => this.#receive(data));
    // An `error` event is always followed by a `close` event, which has the code and the reason.
    socket.addEventListener("close", ({ code, reason }) => this.end(connectionEndOf(code, reason)));
  }

  /** Stops the handshake deadline. */
  handshakeDone(): void {
    clearTimeout(this.#deadline);
  }

  /** Sends a message, now or as soon as the mesh may receive it, and returns its ID; null if none can be sent any more. */
  send(message: Omit<OutgoingMessage, "id">): string | null {
    if (this.#ended || this.#socket?.readyState !== OPEN) return null;
    const id = newUuid(this.#platform.randomBytes);
    return this.#pacer.send({ ...message, id }) ? id : null;
  }

  /** Sends a frame of the handshake or a keepalive at once: the mesh does not count these against the rate limit. */
  sendFrame(frame: string | Uint8Array<ArrayBuffer>): void {
    if (!this.#ended && this.#socket?.readyState === OPEN) this.#socket.send(frame);
  }

  /** Whether a message of the mesh is the answer to a ping of the window of answers, and thus of interest to nothing else. */
  confirms({ type, replyTo, payload }: Envelope): boolean {
    if (type === "task_offer") this.#pacer.offerReceived(payload);
    return type === "pong" && replyTo !== undefined && this.#pacer.pongReceived(replyTo);
  }

  /** Closes the socket without calling the listener. Resolves once the socket is closed. */
  close(code: number, reason: string): Promise<void> {
    const socket = this.#socket;
    this.#ended = true;
    this.#socket = null;
    clearTimeout(this.#deadline);
    this.#pacer.stop();
    return socket === null ? Promise.resolve() : closeSocket(socket, code, reason);
  }

  /** Closes the socket and reports it as dropped: the peer will reconnect. */
  drop(code: number, reason: string): void {
    this.end({ kind: "dropped", code, reason }, code, reason);
  }

  /** Closes the socket and reports `end` to the listener, once. */
  end(end: ConnectionEnd, code: number = CLOSE.normal, reason = ""): void {
    if (this.#ended) return;
    void this.close(code, reason);
    this.#listener.ended(end);
  }

  #emit(message: OutgoingMessage): number {
    const frame = this.#protocol.encode(message);
    if (frame === null) return 0;
    this.#socket?.send(frame);
    return frame.length;
  }

  #newPing(): OutgoingMessage {
    const { now, randomBytes } = this.#platform;
    const payload = { sentAt: now() };
    return {
      id: newUuid(randomBytes),
      type: "ping",
      payload,
      replyTo: undefined,
      onSent: undefined,
    };
  }

  #receive(data: unknown): void {
    if (this.#ended) return;
    this.#listener.activity();
    if (typeof data === "string") this.#protocol.frame(data);
    else if (data instanceof ArrayBuffer) this.#protocol.frame(new Uint8Array(data));
  }
}

/** Resolves when the socket is closed, or after `CLOSE_GRACE`: an unreachable mesh does not answer. */
function closeSocket(socket: SocketLike, code: number, reason: string): Promise<void> {
  if (socket.readyState === CLOSED) return Promise.resolve();
  return new Promise((resolve) => {
    const grace = setTimeout(resolve, CLOSE_GRACE);
    socket.addEventListener("close", () => {
      clearTimeout(grace);
      resolve();
    });
    socket.close(code, reason);
  });
}
