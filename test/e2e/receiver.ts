import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Received {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** A receiver of callbacks: a real HTTP server that keeps what it gets and answers as it is told. */
export class Receiver {
  readonly received: Received[] = [];
  readonly #server: Server;

  private constructor(answer: (got: Received, nth: number, response: ServerResponse) => void) {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const { url: path = "", headers } = request;
        const got = { path, headers, body: Buffer.concat(chunks).toString("utf8") };
        const nth = this.received.filter((other) => other.path === path).length;
        this.received.push(got);
        answer(got, nth, response);
      });
    });
  }

  /** `nth` counts what came to the same path before. */
  static async start(
    answer: (got: Received, nth: number, response: ServerResponse) => void,
  ): Promise<Receiver> {
    const receiver = new Receiver(answer);
    receiver.#server.listen(0, "127.0.0.1");
    await once(receiver.#server, "listening");
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  at = (path: string): readonly Received[] => this.received.filter((each) => each.path === path);

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
