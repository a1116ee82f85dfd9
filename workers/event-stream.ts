import { utf8 } from "../src/base/bytes.ts";
import { endFrame, HEARTBEAT_FRAME } from "../src/coordinator/events/frames.ts";
import { EVENT_HEARTBEAT_INTERVAL } from "../src/protocol/event-limits.ts";
import { SocketTexts } from "./socket-texts.ts";

/** Where the texts of a stream come from. */
export interface TextSource {
  start(): void;
  /** The next text; null if there is none now. */
  take(): string | null;
  /** Whether none comes any more. */
  readonly isOver: boolean;
  /** Called every 15 s. */
  beat(): void;
  end(): void;
}

/**
 * The body of a stream of events of one coordinator. It takes from the coordinator's socket what the client takes from it: at most a
 * window waits here. When the coordinator's object ends, as in a deploy, so does the stream, and the client opens it again where it was.
 */
export const eventStream = (socket: WebSocket): ReadableStream<Uint8Array> =>
  streamOf((changed) => new OneSocket(socket, changed));

/** A stream of the texts of a source, with heartbeats between them. */
export function streamOf(
  sourceWith: (changed: () => void) => TextSource,
): ReadableStream<Uint8Array> {
  const reader = new TextReader(sourceWith);
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

/** The texts of one socket, and the end of a token. */
class OneSocket implements TextSource {
  readonly #texts: SocketTexts;
  #hasEnded = false;

  constructor(socket: WebSocket, changed: () => void) {
    this.#texts = new SocketTexts(socket, changed);
  }

  start = (): void => this.#texts.start();
  beat = (): void => this.#texts.beat();
  end = (): void => this.#texts.end();

  take(): string | null {
    const { denied } = this.#texts;
    if (!this.#texts.isOver || denied === null || this.#hasEnded) return this.#texts.take();
    this.#hasEnded = true;
    return endFrame(denied);
  }

  get isOver(): boolean {
    return this.#texts.isOver && (this.#texts.denied === null || this.#hasEnded);
  }
}

/** Takes texts when the client does. */
class TextReader {
  readonly #source: TextSource;
  /** The read that waits for a text. */
  #waiting: ((text: string | null) => void) | null = null;
  #timer: ReturnType<typeof setInterval> | null = null;

  constructor(sourceWith: (changed: () => void) => TextSource) {
    this.#source = sourceWith(() => this.#changed());
  }

  start(): void {
    this.#source.start();
    this.#timer = setInterval(() => this.#beat(), EVENT_HEARTBEAT_INTERVAL);
  }

  /** The next text, once there is one; null at the end. */
  next(): Promise<string | null> {
    const text = this.#source.take();
    if (this.#source.isOver) this.#stop();
    if (text !== null || this.#source.isOver) return Promise.resolve(text);
    return new Promise((resolve) => (this.#waiting = resolve));
  }

  end(): void {
    this.#source.end();
  }

  #changed(): void {
    if (this.#source.isOver) this.#stop();
    if (this.#waiting === null) return;
    const text = this.#source.take();
    if (text !== null || this.#source.isOver) this.#answer(text);
  }

  #answer(text: string | null): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.(text);
  }

  #beat(): void {
    this.#source.beat();
    if (this.#source.isOver) this.#stop();
    // A client that has not taken what came before gets none: it has something to read.
    else this.#answer(HEARTBEAT_FRAME);
  }

  #stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
