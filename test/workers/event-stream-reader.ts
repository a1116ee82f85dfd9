import { exports } from "cloudflare:workers";
import { expect } from "vitest";
import type { EventGap, EventView } from "../../src/protocol/http.ts";
import { TOKEN } from "../durable/api.ts";

export interface StreamOptions {
  readonly token?: string;
  readonly lastEventId?: string;
}

/** A message of a stream of server-sent events. */
export interface Message {
  readonly id: string | null;
  /** Null for a message that only sets the position. */
  readonly type: string | null;
  readonly data: unknown;
}

/** A client of a stream of events, which reads what the test asks for and no more. */
export class EventStreamReader {
  readonly #body: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #text = "";
  /** The position of the client: the last `id`. */
  position = "";

  private constructor(body: ReadableStream<Uint8Array>) {
    this.#body = body.getReader();
  }

  static async open(query = "", options: StreamOptions = {}): Promise<EventStreamReader> {
    const response = await openEvents(query, options);
    expect([response.status, response.headers.get("Content-Type")]).toEqual([
      200,
      "text/event-stream",
    ]);
    const reader = new EventStreamReader(response.body as ReadableStream<Uint8Array>);
    const { type, id } = await reader.next();
    expect([type, id]).toEqual([null, expect.stringMatching(/^[\d.]+-[0-9a-f]{8}$/)]);
    return reader;
  }

  /** The next message, positions included; comments are skipped. Throws at the end of the stream. */
  async next(): Promise<Message> {
    for (;;) {
      const block = await this.#block();
      if (block === null) throw new Error("the stream has ended");
      const fields = new Map(
        block
          .split("\n")
          .filter((line) => !line.startsWith(":"))
          .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
      );
      if (fields.size === 0) continue;
      const [id = null, type = null, data = "null"] = ["id", "event", "data"].map((name) =>
        fields.get(name),
      );
      this.position = id ?? this.position;
      return { id, type, data: JSON.parse(data) };
    }
  }

  /** The next events, with their positions left out of account. */
  async events(count: number): Promise<EventView[]> {
    const events: EventView[] = [];
    while (events.length < count) {
      const { type, data } = await this.next();
      if (type === null) continue;
      expect([type, data]).toEqual([(data as EventView).type, data]);
      events.push(data as EventView);
    }
    return events;
  }

  async gap(): Promise<EventGap> {
    const { type, data } = await this.next();
    expect(type).toBe("gap");
    return data as EventGap;
  }

  /** Everything up to the end of the stream. */
  async rest(): Promise<Message[]> {
    const messages: Message[] = [];
    for (;;) {
      try {
        messages.push(await this.next());
      } catch {
        return messages;
      }
    }
  }

  close(): Promise<void> {
    return this.#body.cancel();
  }

  async #block(): Promise<string | null> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end >= 0) {
        const block = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return block;
      }
      const { done, value } = await this.#body.read();
      if (done) return null;
      this.#text += this.#decoder.decode(value, { stream: true });
    }
  }
}

export const openEvents = (query = "", options: StreamOptions = {}): Promise<Response> =>
  exports.default.fetch(`http://mesh.test/v1/events${query}`, {
    headers: {
      Accept: "text/event-stream",
      Authorization: `Bearer ${options.token ?? TOKEN}`,
      ...(options.lastEventId !== undefined && { "Last-Event-ID": options.lastEventId }),
    },
  });
