import { Agent, request, type OutgoingHttpHeaders } from "node:http";
import { text } from "node:stream/consumers";

/** Sends HTTP requests to one server over connections that stay open, at less CPU than `fetch`. */
export class HttpCaller {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 256 });
  readonly #base: string;
  readonly #headers: OutgoingHttpHeaders;

  constructor(base: string, headers: OutgoingHttpHeaders = {}) {
    this.#base = base;
    this.#headers = headers;
  }

  async send(method: string, path: string, body?: string): Promise<HttpAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
    const headers: OutgoingHttpHeaders = { ...this.#headers };
    if (body !== undefined) {
      headers["content-type"] = "application/json";
      headers["content-length"] = Buffer.byteLength(body);
    }
    const outgoing = request(
      new URL(path, this.#base),
      { method, agent: this.#agent, headers },
      (response) =>
        void text(response).then(
          (answer) => resolve({ status: response.statusCode ?? 0, body: answer }),
          reject,
        ),
    );
    outgoing.once("error", reject);
    outgoing.end(body);
    return promise;
  }

  close(): void {
    this.#agent.destroy();
  }
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}
