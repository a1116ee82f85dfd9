/** The server's side of WebSocket (RFC 6455) on a raw stream: enough for one peer, and able to break off as a check needs it. */
import { createHash } from "node:crypto";
import type { Duplex } from "node:stream";
import type { Bytes } from "../../base/bytes.ts";
import type { RawSocket, SocketClosed } from "../../conformance/ports.ts";

const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
/** Above what any check lets a peer send. A larger message ends the connection with 1009. */
const MESSAGE_BYTES_MAX = 8 * 1_024 * 1_024;
/** How long the other side may take to answer a close frame. */
const CLOSE_GRACE_MS = 2_000;
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** The answer to an upgrade request with this key. */
export const switchingProtocols = (key: string, subprotocol: string | null): string =>
  [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${createHash("sha1").update(`${key}${GUID}`).digest("base64")}`,
    ...(subprotocol === null ? [] : [`Sec-WebSocket-Protocol: ${subprotocol}`]),
    "",
    "",
  ].join("\r\n");

interface FrameHead {
  readonly opcode: number;
  readonly isLast: boolean;
  /** Where the masked payload begins and ends. */
  readonly start: number;
  readonly end: number;
}

export class WebSocketStream implements RawSocket {
  readonly #stream: Duplex;
  #chunks: Buffer[] = [];
  #size = 0;
  /** Bytes that must be there before the next frame is whole. */
  #needed = 2;
  #parts: Buffer[] = [];
  #opcode = 0;
  #closed: SocketClosed | null = null;
  #isDone = false;
  /** What came before a listener was set. */
  #early: (string | Bytes)[] = [];
  #onData: ((data: string | Bytes) => void) | null = null;
  onClosed: (closed: SocketClosed) => void = () => {};

  constructor(stream: Duplex, head: Buffer) {
    this.#stream = stream;
    stream.on("data", (chunk: Buffer) => this.#receive(chunk));
    stream.on("error", () => stream.destroy());
    // A server's stream stays open for writing when the other side has ended.
    stream.on("end", () => stream.destroy());
    stream.on("close", () => this.#done());
    if (head.length > 0) queueMicrotask(() => this.#receive(head));
  }

  get onData(): (data: string | Bytes) => void {
    return this.#onData ?? (() => {});
  }

  set onData(listener: (data: string | Bytes) => void) {
    this.#onData = listener;
    const early = this.#early;
    this.#early = [];
    for (const data of early) listener(data);
  }

  send(data: string | Uint8Array): void {
    if (typeof data === "string") this.#write(OPCODE.text, Buffer.from(data));
    else this.#write(OPCODE.binary, Buffer.from(data.buffer, data.byteOffset, data.length));
  }

  close(code: number, reason: string): void {
    const body = Buffer.alloc(2 + Buffer.byteLength(reason));
    body.writeUInt16BE(code, 0);
    body.write(reason, 2);
    this.#closed ??= { code, reason };
    this.#write(OPCODE.close, body);
    setTimeout(() => this.#stream.destroy(), CLOSE_GRACE_MS).unref();
  }

  drop(): void {
    this.#stream.destroy();
  }

  #done(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.onClosed(this.#closed ?? { code: null, reason: "" });
  }

  #write(opcode: number, payload: Buffer): void {
    if (this.#stream.destroyed || this.#stream.writableEnded) return;
    const { length } = payload;
    const extended = length < 126 ? 0 : length < 65_536 ? 2 : 8;
    const head = Buffer.alloc(2 + extended);
    head[0] = 0x80 | opcode;
    head[1] = extended === 0 ? length : extended === 2 ? 126 : 127;
    if (extended === 2) head.writeUInt16BE(length, 2);
    if (extended === 8) head.writeBigUInt64BE(BigInt(length), 2);
    this.#stream.write(Buffer.concat([head, payload]));
  }

  #receive(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    while (this.#size >= this.#needed) {
      const [only = Buffer.alloc(0), ...more] = this.#chunks;
      const buffer = more.length === 0 ? only : Buffer.concat(this.#chunks);
      this.#chunks = [buffer];
      const head = readHead(buffer);
      this.#needed = head === null ? buffer.length + 1 : head.end;
      if (this.#needed > 2 * MESSAGE_BYTES_MAX) return this.close(1_009, "the frame is too large");
      if (head === null || buffer.length < head.end) return;
      this.#chunks = [buffer.subarray(head.end)];
      this.#size = buffer.length - head.end;
      this.#needed = 2;
      this.#handle(head, unmasked(buffer, head));
    }
  }

  #handle({ opcode, isLast }: FrameHead, payload: Buffer): void {
    if (opcode === OPCODE.ping) return this.#write(OPCODE.pong, payload);
    if (opcode === OPCODE.pong) return;
    if (opcode === OPCODE.close) return this.#closeReceived(payload);
    if (opcode !== OPCODE.continuation) this.#opcode = opcode;
    this.#parts.push(payload);
    const size = this.#parts.reduce((sum, { length }) => sum + length, 0);
    if (size > MESSAGE_BYTES_MAX) return this.close(1_009, "the message is too large");
    if (!isLast) return;
    const whole = Buffer.concat(this.#parts);
    this.#parts = [];
    const data = this.#opcode === OPCODE.text ? whole.toString() : new Uint8Array(whole);
    if (this.#onData === null) this.#early.push(data);
    else this.#onData(data);
  }

  #closeReceived(payload: Buffer): void {
    const code = payload.length < 2 ? 1_005 : payload.readUInt16BE(0);
    this.#closed ??= { code, reason: payload.subarray(2).toString() };
    this.#write(OPCODE.close, payload.subarray(0, 2));
    this.#stream.end();
    setTimeout(() => this.#stream.destroy(), CLOSE_GRACE_MS).unref();
    this.#done();
  }
}

const MASK_BYTES = 4;

/** The head of the first frame; null if not all of it is there. */
function readHead(buffer: Buffer): FrameHead | null {
  const [first = 0, second = 0] = buffer;
  const short = second & 0x7f;
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
  const isMasked = (second & 0x80) !== 0;
  const start = 2 + extended + (isMasked ? MASK_BYTES : 0);
  if (buffer.length < start) return null;
  const length =
    extended === 0
      ? short
      : extended === 2
        ? buffer.readUInt16BE(2)
        : Number(buffer.readBigUInt64BE(2));
  return { opcode: first & 0x0f, isLast: (first & 0x80) !== 0, start, end: start + length };
}

function unmasked(buffer: Buffer, { start, end }: FrameHead): Buffer {
  const payload = Buffer.from(buffer.subarray(start, end));
  if (((buffer[1] ?? 0) & 0x80) === 0) return payload;
  const mask = buffer.subarray(start - MASK_BYTES, start);
  for (let at = 0; at < payload.length; at++)
    payload[at] = (payload[at] ?? 0) ^ (mask[at % 4] ?? 0);
  return payload;
}
