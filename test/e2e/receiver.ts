import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface ReceivedRequest {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** A receiver of callbacks: an HTTP server that records requests and answers with a given function. */
export class Receiver {
  readonly received: ReceivedRequest[] = [];
  readonly #server: Server;

  private constructor(
    answer: (got: ReceivedRequest, nth: number, response: ServerResponse) => void,
  ) {
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

  /** `nth` is the number of earlier requests to the same path. */
  static async start(
    answer: (got: ReceivedRequest, nth: number, response: ServerResponse) => void,
  ): Promise<Receiver> {
    const receiver = new Receiver(answer);
    receiver.#server.listen(0, "127.0.0.1");
    await once(receiver.#server, "listening");
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  at = (path: string): readonly ReceivedRequest[] =>
    this.received.filter((each) => each.path === path);

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
