import { controller, type ControllerOptions } from "../../../src/client/index.ts";

const ENCODER = new TextEncoder();
const MARK = "0badcafe";

/** One stream that a client has opened. */
export class OpenStream {
  readonly query: URLSearchParams;
  readonly response: Response;
  isCancelled = false;
  #out: ReadableStreamDefaultController<Uint8Array> | null = null;

  constructor(query: URLSearchParams, signal: AbortSignal | null | undefined) {
    this.query = query;
    const body = new ReadableStream<Uint8Array>({
      start: (out) => void (this.#out = out),
      cancel: () => void (this.isCancelled = true),
    });
    signal?.addEventListener("abort", () => {
      this.isCancelled = true;
      this.fail();
    });
    this.response = new Response(body, { headers: { "content-type": "text/event-stream" } });
  }

  send(text: string): void {
    this.#out?.enqueue(ENCODER.encode(text));
  }

  position(id: number): void {
    this.send(`retry: 2000\nid: ${id}-${MARK}\n\n`);
  }

  event(id: number, more: object = {}): void {
    const event = eventOf(id, more);
    this.send(`id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  }

  end(): void {
    this.#out?.close();
  }

  fail(): void {
    try {
      this.#out?.error(new TypeError("terminated"));
    } catch {
      // It has ended.
    }
  }
}

/** An event of a peer's removal, with the fields given. */
export const eventOf = (id: number, more: object = {}) => ({
  id: `${id}-${MARK}`,
  at: "2026-11-22T12:00:00.000Z",
  type: "peer.removed",
  peer: "0".repeat(32),
  ...more,
});

/** A mesh whose streams the test writes. `answer` replaces the answer to the next requests, as long as it returns one. */
export class StreamingMesh {
  readonly streams: OpenStream[] = [];
  /** The requests for anything else than events. */
  readonly requests: URL[] = [];
  answer: (url: URL) => Response | null = () => null;
  #opened: (() => void)[] = [];

  client(options: Omit<ControllerOptions, "url" | "token" | "fetch"> = {}) {
    const fetch = (text: string, { signal }: RequestInit): Promise<Response> => {
      const url = new URL(text);
      if (url.pathname !== "/v1/events") this.requests.push(url);
      const other = this.answer(url);
      if (other !== null) return Promise.resolve(other);
      const stream = new OpenStream(url.searchParams, signal);
      this.streams.push(stream);
      for (const opened of this.#opened.splice(0)) opened();
      return Promise.resolve(stream.response);
    };
    return controller({ url: "http://mesh.test", token: "secret", fetch, ...options });
  }

  /** The stream that was opened as number `n`, once it is. */
  async stream(n: number): Promise<OpenStream> {
    for (;;) {
      const stream = this.streams[n];
      if (stream !== undefined) return stream;
      await new Promise<void>((resolve) => this.#opened.push(resolve));
    }
  }
}
