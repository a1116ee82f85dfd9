import type { Bytes } from "../../base/bytes.ts";
import type { Millis } from "../../base/clock.ts";
import { CheckFailed } from "../failure.ts";
import type { RawSocket, SocketClosed } from "../ports.ts";
import type { FrameLog } from "./frame-log.ts";
import { Mailbox } from "./mailbox.ts";

/** One data frame of the other side. */
export interface DataFrame {
  readonly data: string | Bytes;
  readonly at: Millis;
}

export const frameText = (data: string | Uint8Array): string =>
  typeof data === "string" ? `text ${JSON.stringify(data)}` : `binary, ${data.length} bytes`;

type Direction = "->" | "<-";

/** This side's end of an open WebSocket, whose frames a check takes one by one. */
export class FrameSocket {
  readonly #socket: RawSocket;
  readonly #log: FrameLog;
  readonly #frames = new Mailbox<DataFrame>();
  readonly #ended = Promise.withResolvers<SocketClosed>();
  /** How the log marks what the other side sends, and what this side sends. */
  readonly incoming: Direction;
  readonly #outgoing: Direction;
  closed: SocketClosed | null = null;

  constructor(socket: RawSocket, log: FrameLog, incoming: Direction) {
    this.#socket = socket;
    this.#log = log;
    this.incoming = incoming;
    this.#outgoing = incoming === "->" ? "<-" : "->";
    socket.onData = (data) => this.#frames.put({ data, at: Date.now() });
    socket.onClosed = (closed) => {
      log.add(incoming, closedText(closed));
      this.closed = closed;
      this.#frames.end(closedText(closed));
      this.#ended.resolve(closed);
    };
  }

  /** Resolves when the connection has ended, from either side. */
  get ended(): Promise<SocketClosed> {
    return this.#ended.promise;
  }

  /** Hands every frame, also those that wait, to a session. */
  handOver(onFrame: (frame: DataFrame) => void): void {
    for (const frame of this.#frames.waiting) onFrame(frame);
    this.#socket.onData = (data) => onFrame({ data, at: Date.now() });
  }

  send(data: string | Uint8Array): void {
    this.#log.add(this.#outgoing, frameText(data));
    this.#socket.send(data);
  }

  /** Sends a sealed frame, with what it holds for the log. */
  sendDescribed(data: string | Uint8Array, description: string): void {
    this.#log.add(this.#outgoing, description);
    this.#socket.send(data);
  }

  close(code: number, reason: string): void {
    this.#log.add(this.#outgoing, `close ${code} ${reason}`);
    this.#socket.close(code, reason);
  }

  drop(): void {
    this.#log.add(this.#outgoing, "the connection is dropped");
    this.#socket.drop();
  }

  /** The next frame of the other side. */
  async next(expected: string, within: Millis = 5_000): Promise<DataFrame> {
    const frame = await this.#frames.take(
      expected,
      within,
      (each) => each,
      () => "",
    );
    this.#log.add(this.incoming, frameText(frame.data));
    return frame;
  }

  /** Fails if the other side sends a frame within the time. That it closes the connection is fine. */
  async nothing(statement: string, within: Millis): Promise<void> {
    await Promise.race([this.ended, new Promise((resolve) => setTimeout(resolve, within))]);
    const [frame] = this.#frames.waiting;
    if (frame !== undefined) throw new CheckFailed(statement, frameText(frame.data));
  }

  /** Fails unless the other side ends the connection within the time. */
  async endsWithin(what: string, within: Millis): Promise<SocketClosed> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<null>((resolve) => {
      timer = setTimeout(resolve, within, null);
    });
    const closed = await Promise.race([this.ended, timeout]);
    clearTimeout(timer);
    if (closed === null)
      throw new CheckFailed(`${what} within ${within / 1_000} s`, "the connection is still open");
    return closed;
  }
}

export const closedText = ({ code, reason }: SocketClosed): string =>
  code === null
    ? "the connection ended without a close frame"
    : `the connection was closed with ${code}${reason === "" ? "" : ` (${reason})`}`;
