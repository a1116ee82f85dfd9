import type { Millis } from "../../base/clock.ts";
import { CLOSE } from "../../protocol/errors.ts";
import { linkEndOf } from "./close-codes.ts";
import type { LinkEnd, LinkListener } from "./connection.ts";
import { Pacer } from "./send-pacer.ts";
import type { SocketLike } from "../platform.ts";
import { CLOSE_GRACE, DIAL_ATTEMPT_TIMEOUT } from "../timings.ts";

/** What a protocol makes of its socket. */
export interface SocketUser {
  /** The socket is open: the protocol's first frame may go. */
  opened(): void;
  frame(data: string | Uint8Array<ArrayBuffer>): void;
}

/** WebSocket's ready states. */
const OPEN = 1;
const CLOSED = 3;

/**
 * A socket from its dialling to its end, whatever protocol it carries: a deadline for the handshake, one `ended` and then
 * silence, and a closing that does not wait for ever.
 */
export class DialledSocket {
  readonly #user: SocketUser;
  readonly #listener: Pick<LinkListener, "heard" | "ended">;
  readonly #deadline: ReturnType<typeof setTimeout>;
  readonly #pacer: Pacer;
  #socket: SocketLike | null = null;
  #over = false;

  constructor(
    user: SocketUser,
    listener: Pick<LinkListener, "heard" | "ended">,
    now: () => Millis,
  ) {
    this.#user = user;
    this.#listener = listener;
    this.#pacer = new Pacer(now, (frame) => this.#socket?.send(frame));
    this.#deadline = setTimeout(
      () => this.drop(CLOSE.timeout, "the mesh did not answer the handshake"),
      DIAL_ATTEMPT_TIMEOUT,
    );
  }

  get over(): boolean {
    return this.#over;
  }

  /** Opens the socket; what the platform forbids (mixed content, a blocked port) ends the link like any failure. */
  dial(open: () => SocketLike): void {
    if (this.#over) return;
    try {
      this.#socket = open();
    } catch (error) {
      // The caller has no link yet to hear it of.
      queueMicrotask(() => this.end({ kind: "dropped", code: 1006, reason: String(error) }));
      return;
    }
    const socket = this.#socket;
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => {
      if (!this.#over) this.#user.opened();
    });
    socket.addEventListener("message", ({ data }) => this.#take(data));
    // An `error` is always followed by a `close`, which says more.
    socket.addEventListener("close", ({ code, reason }) => this.end(linkEndOf(code, reason)));
  }

  /** The handshake is done: its deadline no longer counts. */
  settled(): void {
    clearTimeout(this.#deadline);
  }

  /** Whether a frame could be sent now. Ask before sealing one under a counter: a sealed frame must go. */
  get open(): boolean {
    return !this.#over && this.#socket?.readyState === OPEN && !this.#pacer.full;
  }

  /** False when the socket can't take a frame any more. */
  send(frame: string | Uint8Array<ArrayBuffer>): boolean {
    if (!this.open) return false;
    return this.#pacer.send(frame);
  }

  /** Sends a text beside the protocol's frames: neither paced nor counted with them, for the mesh does not count it. */
  sendAside(text: string): void {
    if (!this.#over && this.#socket?.readyState === OPEN) this.#socket.send(text);
  }

  /** Ends it from this side without telling the listener. Settles once the socket is closed. */
  close(code: number, reason: string): Promise<void> {
    const socket = this.#socket;
    this.#over = true;
    this.#socket = null;
    clearTimeout(this.#deadline);
    this.#pacer.stop();
    return socket === null ? Promise.resolve() : closeSocket(socket, code, reason);
  }

  /** Gives the session up; the peer comes back later. */
  drop(code: number, reason: string): void {
    this.end({ kind: "dropped", code, reason }, code, reason);
  }

  /** Ends it and tells the listener, once. */
  end(end: LinkEnd, code: number = CLOSE.normal, reason = ""): void {
    if (this.#over) return;
    void this.close(code, reason);
    this.#listener.ended(end);
  }

  #take(data: unknown): void {
    if (this.#over) return;
    this.#listener.heard();
    if (typeof data === "string") this.#user.frame(data);
    else if (data instanceof ArrayBuffer) this.#user.frame(new Uint8Array(data));
  }
}

/** Settles when the socket is closed, or after a short grace: a mesh that went away answers nothing. */
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
