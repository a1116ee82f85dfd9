import { utf8 } from "../src/base/bytes.ts";
import { endFrame, HEARTBEAT_FRAME } from "../src/coordinator/events/frames.ts";
import { CLOSE } from "../src/protocol/close-codes.ts";
import { HEARTBEAT_REQUEST, HEARTBEAT_RESPONSE } from "../src/protocol/constants.ts";
import {
  EVENT_HEARTBEAT_INTERVAL,
  EVENT_STREAM_TIMEOUT,
  EVENT_WINDOW_CHARS,
} from "../src/protocol/event-limits.ts";

/** The coordinator is told what was taken this often: it sends no more than the window before it is told. */
const TELL_CHARS = EVENT_WINDOW_CHARS / 2;

/**
 * The body of a stream of events. It takes from the coordinator's socket what the client takes from it: at most a window waits here.
 * When the coordinator's object ends, as in a deploy, so does the stream, and the client opens it again where it was.
 */
export function eventStream(socket: WebSocket): ReadableStream<Uint8Array> {
  const reader = new SocketReader(socket);
  return new ReadableStream<Uint8Array>(
    {
      start: () => reader.start(),
      async pull(out) {
        const text = await reader.next();
        if (text === null) out.close();
        else out.enqueue(utf8(text));
      },
      cancel: () => reader.end(),
    },
    { highWaterMark: 0 },
  );
}

/** Takes texts from a socket in their order, and puts heartbeats between them. */
class SocketReader {
  readonly #socket: WebSocket;
  readonly #texts: string[] = [];
  #isOver = false;
  /** The read that waits for a text. */
  #waiting: ((text: string | null) => void) | null = null;
  #taken = 0;
  #told = 0;
  #heardAt = Date.now();
  #beats = 0;
  #timer: ReturnType<typeof setInterval> | null = null;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  start(): void {
    this.#socket.addEventListener("message", ({ data }) => {
      this.#heardAt = Date.now();
      if (typeof data === "string" && data !== HEARTBEAT_RESPONSE) this.#put(data);
    });
    this.#socket.addEventListener("close", ({ code, reason }) => {
      if (code === CLOSE.denied) this.#put(endFrame(reason));
      this.end();
    });
    this.#socket.addEventListener("error", () => this.end());
    this.#socket.accept();
    this.#timer = setInterval(() => this.#beat(), EVENT_HEARTBEAT_INTERVAL);
  }

  /** The next text, once there is one; null at the end. */
  next(): Promise<string | null> {
    const text = this.#texts.shift();
    if (text !== undefined) return Promise.resolve(this.#take(text));
    if (this.#isOver) return Promise.resolve(null);
    return new Promise((resolve) => (this.#waiting = resolve));
  }

  /** What has come already is still read. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#answer(null);
    try {
      this.#socket.close(CLOSE.normal);
    } catch {
      // It is closed already.
    }
  }

  #put(text: string): void {
    if (this.#waiting === null) this.#texts.push(text);
    else this.#answer(this.#take(text));
  }

  #take(text: string): string {
    this.#taken += text.length;
    if (this.#taken - this.#told >= TELL_CHARS && !this.#isOver) {
      this.#told = this.#taken;
      this.#socket.send(String(this.#taken));
    }
    return text;
  }

  #answer(text: string | null): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.(text);
  }

  #beat(): void {
    if (Date.now() - this.#heardAt > EVENT_STREAM_TIMEOUT) return this.end();
    // The platform answers without waking the coordinator. Every other beat suffices to notice that it is gone.
    if (++this.#beats % 2 === 0) this.#socket.send(HEARTBEAT_REQUEST);
    // A client that has not taken what came before gets none: it has something to read.
    this.#answer(HEARTBEAT_FRAME);
  }
}
