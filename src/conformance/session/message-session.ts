import { fromUtf8, utf8, type Bytes } from "../../base/bytes.ts";
import { toRfc3339, type Millis, type RandomBytes } from "../../base/clock.ts";
import { HEARTBEAT_REQUEST, HEARTBEAT_RESPONSE } from "../../protocol/constants.ts";
import { newUuid } from "../../protocol/random-ids.ts";
import { CheckFailed, pause } from "../failure.ts";
import type { Channel } from "./channel.ts";
import type { FrameLog } from "./frame-log.ts";
import type { DataFrame, FrameSocket } from "./frame-socket.ts";
import { Mailbox } from "./mailbox.ts";
import { readMessage, summaryOf, type ReadMessage } from "./read-message.ts";

export interface SessionOptions {
  readonly socket: FrameSocket;
  readonly channel: Channel;
  /** The IDs of this side and of the other one. */
  readonly ownId: string;
  readonly otherId: string;
  readonly log: FrameLog;
  readonly now: () => Millis;
  readonly random: RandomBytes;
}

const WITHIN: Millis = 8_000;

/** A session after the handshake, from either side: seals what a check sends, and collects what the other side sends. */
export class MessageSession {
  readonly socket: FrameSocket;
  /** Every message of the other side, in its order. */
  readonly messages: ReadMessage[] = [];
  /** When the text heartbeats of the other side came, and what its other text frames were. */
  readonly heartbeats: Millis[] = [];
  readonly texts: string[] = [];
  readonly startedAt: Millis = Date.now();
  /** Whether text heartbeats are answered, pings, and pings with `confirm`. */
  answersHeartbeats = true;
  answersPings = true;
  answersConfirmations = true;
  readonly #options: SessionOptions;
  readonly #waiting = new Mailbox<ReadMessage>();
  #opened = 0;
  /** Why no further frame is read. */
  #fault: string | null = null;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.socket = options.socket;
    options.socket.handOver((frame) => this.#received(frame));
    void options.socket.ended.then(() => this.#waiting.end("the connection has ended"));
  }

  get ownId(): string {
    return this.#options.ownId;
  }

  get otherId(): string {
    return this.#options.otherId;
  }

  /** The envelope of a message of this side. `more` replaces or adds fields. */
  envelope(type: string, payload: unknown, more: Readonly<Record<string, unknown>> = {}) {
    const { ownId: from, otherId: to, random, now } = this.#options;
    return { id: newUuid(random), type, from, to, ts: toRfc3339(now()), payload, ...more };
  }

  /** Sends a message and returns its ID. */
  send(type: string, payload: unknown, more: Readonly<Record<string, unknown>> = {}): string {
    const envelope = this.envelope(type, payload, more);
    this.sendPlain(utf8(JSON.stringify(envelope)));
    return envelope.id;
  }

  /** Seals this as the next frame and sends it. */
  sendPlain(plain: Uint8Array): void {
    this.sendSealed(this.seal(plain), fromUtf8(plain.subarray(0, 400)) ?? "bytes that are no text");
  }

  /** Seals this as the next frame, which is not sent: the next one has the next counter. */
  seal(plain: Uint8Array): Bytes {
    return this.#options.channel.seal(plain);
  }

  sendSealed(frame: Uint8Array, description: string): void {
    this.socket.sendDescribed(frame, description);
  }

  /** The other side's next message for which `pick` returns a value. */
  async expect<R>(
    expected: string,
    pick: (message: ReadMessage) => R | null | undefined | false,
    within: Millis = WITHIN,
  ): Promise<R> {
    return this.#waiting.take(expected, within, pick, () => this.#seen());
  }

  /** Fails if such a message has come, or comes within the time. */
  async never(
    statement: string,
    isWrong: (message: ReadMessage) => boolean,
    within: Millis,
  ): Promise<void> {
    await Promise.race([pause(within), this.socket.ended]);
    const wrong = this.#waiting.waiting.find(isWrong);
    if (wrong !== undefined) throw new CheckFailed(statement, summaryOf(wrong));
  }

  /** Waits until the other side has answered a ping: it has received what was sent before. */
  async settle(within: Millis = WITHIN): Promise<void> {
    const id = this.send("ping", { sentAt: this.#options.now() });
    const isAnswer = ({ type, replyTo }: ReadMessage): boolean => type === "pong" && replyTo === id;
    await this.expect("a pong that answers a ping", isAnswer, within);
  }

  #seen(): string {
    const waiting = this.#waiting.waiting.slice(-5).map(summaryOf);
    return [...waiting, ...(this.#fault === null ? [] : [this.#fault])].join("; ");
  }

  #received({ data, at }: DataFrame): void {
    if (this.#fault !== null) return;
    const { log, channel, socket } = this.#options;
    if (typeof data === "string") return this.#textReceived(data, at);
    const plain = channel.open(data);
    if (plain === null) {
      this.#fault = `binary frame ${this.#opened} does not open: it is not sealed with the key and the counter that are next`;
      log.add(socket.incoming, this.#fault);
      return this.#waiting.end(this.#fault);
    }
    this.#opened++;
    const message = readMessage(plain, data.length, at);
    log.add(socket.incoming, summaryOf(message));
    this.messages.push(message);
    this.#waiting.put(message);
    if (message.type === "ping") this.#answerPing(message);
  }

  #textReceived(text: string, at: Millis): void {
    const { log, socket } = this.#options;
    log.add(socket.incoming, `text ${JSON.stringify(text.slice(0, 100))}`);
    if (text !== HEARTBEAT_REQUEST) return void this.texts.push(text);
    this.heartbeats.push(at);
    if (this.answersHeartbeats) socket.send(HEARTBEAT_RESPONSE);
  }

  #answerPing({ id, payload }: ReadMessage): void {
    const { sentAt = 0, confirm } = payload;
    const answers = confirm === true ? this.answersConfirmations : this.answersPings;
    if (answers) this.send("pong", { sentAt, receivedAt: this.#options.now() }, { replyTo: id });
  }
}
