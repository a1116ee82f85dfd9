import { CLOSE } from "../src/protocol/close-codes.ts";
import { HEARTBEAT_REQUEST, HEARTBEAT_RESPONSE } from "../src/protocol/constants.ts";
import { EVENT_STREAM_TIMEOUT, EVENT_WINDOW_CHARS } from "../src/protocol/event-limits.ts";

/** The coordinator is told what was taken this often: it sends no more than the window before it is told. */
const TELL_CHARS = EVENT_WINDOW_CHARS / 2;

/** The texts that come over the socket of a coordinator's stream, in their order. At most a window waits here. */
export class SocketTexts {
  readonly #socket: WebSocket;
  readonly #changed: () => void;
  readonly #texts: string[] = [];
  #isOver = false;
  #denied: string | null = null;
  #taken = 0;
  #told = 0;
  #heardAt = Date.now();
  #beats = 0;

  /** @param changed called when a text has come, and at the end */
  constructor(socket: WebSocket, changed: () => void) {
    this.#socket = socket;
    this.#changed = changed;
  }

  start(): void {
    this.#socket.addEventListener("message", ({ data }) => {
      this.#heardAt = Date.now();
      if (typeof data !== "string" || data === HEARTBEAT_RESPONSE) return;
      this.#texts.push(data);
      this.#changed();
    });
    this.#socket.addEventListener("close", ({ code, reason }) => {
      if (code === CLOSE.denied) this.#denied = reason;
      this.end();
    });
    this.#socket.addEventListener("error", () => this.end());
    this.#socket.accept();
  }

  /** Whether nothing comes any more. What has come already can still be taken. */
  get isOver(): boolean {
    return this.#isOver && this.#texts.length === 0;
  }

  /** Why the token of the stream is over; null if it is not. */
  get denied(): string | null {
    return this.#denied;
  }

  /** The next text; null if there is none now. */
  take(): string | null {
    const text = this.#texts.shift();
    if (text === undefined) return null;
    this.#taken += text.length;
    if (this.#taken - this.#told >= TELL_CHARS && !this.#isOver) {
      this.#told = this.#taken;
      this.#socket.send(String(this.#taken));
    }
    return text;
  }

  /** Asks for a sign of life, and ends the stream without one. */
  beat(): void {
    if (this.#isOver) return;
    if (Date.now() - this.#heardAt > EVENT_STREAM_TIMEOUT) return this.end();
    // The platform answers without waking the coordinator. Every other beat suffices to notice that it is gone.
    if (++this.#beats % 2 === 0) this.#socket.send(HEARTBEAT_REQUEST);
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    try {
      this.#socket.close(CLOSE.normal);
    } catch {
      // It is closed already.
    }
    this.#changed();
  }
}
