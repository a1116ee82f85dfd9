import { createHash, randomBytes } from "node:crypto";
import { createServer, request, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";

/** One data frame of a WebSocket: text or bytes. */
export type Data = string | Buffer;

const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

/**
 * A WebSocket (RFC 6455) as go-p2p uses it: data frames, and control frames that are answered but are not data. `end` closes the
 * connection without a close frame, as go-p2p does.
 */
export class PlainSocket {
  readonly #stream: Duplex;
  readonly #masks: boolean;
  #buffer = Buffer.alloc(0);
  #parts: Buffer[] = [];
  #opcode = 0;
  onData: (data: Data) => void = () => undefined;
  onEnd: (closeCode: number | null) => void = () => undefined;
  #closeCode: number | null = null;

  constructor(stream: Duplex, head: Buffer, masks: boolean) {
    this.#stream = stream;
    this.#masks = masks;
    stream.on("data", (chunk: Buffer) => this.#receive(chunk));
    stream.on("error", () => stream.destroy());
    stream.on("close", () => this.onEnd(this.#closeCode));
    if (head.length > 0) setImmediate(() => this.#receive(head));
  }

  send(data: Data): void {
    const isText = typeof data === "string";
    this.#write(isText ? TEXT : 2, isText ? Buffer.from(data) : data);
  }

  end(): void {
    this.#stream.destroy();
  }

  #write(opcode: number, payload: Buffer): void {
    const { length } = payload;
    const extended = length < 126 ? 0 : length < 65_536 ? 2 : 8;
    const head = Buffer.alloc(2 + extended);
    head[0] = 0x80 | opcode;
    head[1] = (this.#masks ? 0x80 : 0) | (extended === 0 ? length : extended === 2 ? 126 : 127);
    if (extended === 2) head.writeUInt16BE(length, 2);
    if (extended === 8) head.writeBigUInt64BE(BigInt(length), 2);
    if (!this.#masks) {
      this.#stream.write(Buffer.concat([head, payload]));
      return;
    }
    const mask = randomBytes(4);
    this.#stream.write(Buffer.concat([head, mask, masked(payload, mask)]));
  }

  #receive(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    for (let taken = this.#takeFrame(); taken > 0; taken = this.#takeFrame())
      this.#buffer = this.#buffer.subarray(taken);
  }

  /** Handles the first frame in the buffer, if all of it is there; returns its length. */
  #takeFrame(): number {
    const buffer = this.#buffer;
    if (buffer.length < 2) return 0;
    const [first = 0, second = 0] = buffer;
    const isMasked = (second & 0x80) !== 0;
    const short = second & 0x7f;
    const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
    const start = 2 + extended + (isMasked ? 4 : 0);
    if (buffer.length < start) return 0;
    const length =
      extended === 2
        ? buffer.readUInt16BE(2)
        : extended === 8
          ? Number(buffer.readBigUInt64BE(2))
          : short;
    if (buffer.length < start + length) return 0;
    const body = buffer.subarray(start, start + length);
    const payload = isMasked ? masked(body, buffer.subarray(start - 4, start)) : Buffer.from(body);
    this.#handle(first & 0x0f, (first & 0x80) !== 0, payload);
    return start + length;
  }

  #handle(opcode: number, isLast: boolean, payload: Buffer): void {
    if (opcode === PING) return this.#write(PONG, payload);
    if (opcode === PONG) return;
    if (opcode === CLOSE) {
      this.#closeCode = payload.length < 2 ? null : payload.readUInt16BE(0);
      this.#write(CLOSE, payload.subarray(0, 2));
      this.#stream.end();
      return;
    }
    if (opcode !== 0) this.#opcode = opcode;
    this.#parts.push(payload);
    if (!isLast) return;
    const whole = Buffer.concat(this.#parts);
    this.#parts = [];
    this.onData(this.#opcode === TEXT ? whole.toString() : whole);
  }
}

const masked = (bytes: Buffer, mask: Buffer): Buffer =>
  Buffer.from(bytes.map((byte, at) => byte ^ (mask[at % 4] as number)));

/** Dials a WebSocket with the headers of Go's client. */
export const dialSocket = (url: string): Promise<PlainSocket> =>
  new Promise((resolve, reject) => {
    const upgrade = request(url.replace(/^ws/, "http"), {
      headers: {
        "User-Agent": "Go-http-client/1.1",
        Connection: "Upgrade",
        Upgrade: "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": randomBytes(16).toString("base64"),
      },
    });
    upgrade.on("upgrade", (_: IncomingMessage, stream: Duplex, head: Buffer) =>
      resolve(new PlainSocket(stream, head, true)),
    );
    upgrade.on("response", ({ statusCode }) => reject(new Error(`HTTP ${statusCode}`)));
    upgrade.on("error", reject);
    upgrade.end();
  });

/** Listens for WebSockets on a free port of the loopback interface. */
export async function listenForSockets(
  onSocket: (socket: PlainSocket, headers: IncomingMessage["headers"]) => void,
): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createServer();
  server.on("upgrade", ({ headers }, stream, head) => {
    const key = `${headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const accept = createHash("sha1").update(key).digest("base64");
    stream.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    onSocket(new PlainSocket(stream, head, false), headers);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws` };
}
