import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type {
  HttpAnswer,
  HttpRequest,
  ServerListener,
  RawSocket,
  Upgrade,
} from "../../conformance/ports.ts";
import { switchingProtocols, WebSocketStream } from "./web-socket.ts";

/** Above the largest upload of a result. */
const BODY_BYTES_MAX = 32 * 1_024 * 1_024;

export interface MeshServer {
  /** Ends in a slash. */
  readonly url: string;
  close(): Promise<void>;
}

/** Listens on a free port of the loopback interface. */
export async function startMeshServer(listener: ServerListener): Promise<MeshServer> {
  const server = createServer((message, response) => {
    void answer(listener, message, response).catch(() => response.destroy());
  });
  const streams = new Set<Duplex>();
  server.on("connection", (stream) => {
    streams.add(stream);
    stream.once("close", () => streams.delete(stream));
  });
  server.on("upgrade", (message, stream, head) => {
    stream.on("error", () => stream.destroy());
    listener.upgraded(new IncomingUpgrade(message, stream, head));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    close: async () => {
      for (const stream of streams) stream.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

class IncomingUpgrade implements Upgrade {
  readonly request: HttpRequest;
  readonly #stream: Duplex;
  readonly #head: Buffer;

  constructor(message: IncomingMessage, stream: Duplex, head: Buffer) {
    this.request = requestOf(message, Buffer.alloc(0));
    this.#stream = stream;
    this.#head = head;
  }

  accept(subprotocol: string | null): RawSocket {
    const key = this.request.headers["sec-websocket-key"] ?? "";
    if (!this.#stream.destroyed) this.#stream.write(switchingProtocols(key, subprotocol));
    return new WebSocketStream(this.#stream, this.#head);
  }

  refuse({ status, headers = {}, body }: HttpAnswer): void {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const bytes = Buffer.from(body);
    const length = `content-length: ${bytes.length}`;
    const head = [`HTTP/1.1 ${status} Refused`, ...lines, length, "connection: close", "", ""];
    this.#stream.end(Buffer.concat([Buffer.from(head.join("\r\n")), bytes]));
  }
}

async function answer(
  listener: ServerListener,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_BYTES_MAX) return void response.writeHead(413).end();
    chunks.push(chunk);
  }
  const { status, headers, body } = await listener.requested(
    requestOf(message, Buffer.concat(chunks)),
  );
  response.writeHead(status, headers).end(body);
}

function requestOf(
  { method = "GET", url = "/", headers }: IncomingMessage,
  body: Buffer,
): HttpRequest {
  const { pathname, searchParams } = new URL(url, "http://127.0.0.1");
  return {
    method,
    path: pathname,
    query: searchParams,
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, String(value)]),
    ),
    body: new Uint8Array(body),
  };
}
